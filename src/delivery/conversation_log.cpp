// SPDX-License-Identifier: MIT
// delivery/conversation_log: a mark, the octets escaped, and an end.

#include "delivery/conversation_log.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace postrider::delivery {

void conversation_log::add(const trace_line& line)
{
    if (lines_.size() == lines_max)
        lines_.erase(lines_.begin());
    const auto text = [&line](std::size_t mark) {
        return base::escaped(line.octets, line_octets_max - mark);
    };
    switch (line.what) {
    case trace_line::kind::client: lines_.push_back("C: " + text(3)); break;
    case trace_line::kind::server: lines_.push_back("S: " + text(3)); break;
    case trace_line::kind::network: lines_.push_back("!: " + text(3)); break;
    case trace_line::kind::body: lines_.push_back(fmt::format("C: ({})", text(5))); break;
    }
}

} // namespace postrider::delivery
