// SPDX-License-Identifier: MIT
// support/sim_script: hearing and saying.

#include "support/sim_script.hpp"

namespace postrider::test {

void sim_script::on_open(sim_wire& wire)
{
    wire_ = &wire;
    go_on();
}

void sim_script::on_octets(std::string_view octets)
{
    heard_ += octets;
    go_on();
}

void sim_script::go_on()
{
    while (next_ < steps_.size()) {
        const step& s = steps_[next_];
        const std::size_t at = heard_.find(s.after, seen_);
        if (at == std::string::npos)
            return;
        seen_ = at + s.after.size();
        ++next_;
        wire_->say(s.say);
        if (s.stop_reading)
            wire_->stop_reading();
        if (s.close)
            wire_->close();
    }
}

} // namespace postrider::test
