// SPDX-License-Identifier: MIT
#pragma once
// support/sim_script: a server of the simulated network that follows a script, whatever it hears.

#include "support/sim_wire.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postrider::test {

/// Says what it was told to, each time when it has heard what comes before; then it is silent.
class sim_script final : public sim_peer, public std::enable_shared_from_this<sim_script> {
public:
    struct step {
        std::string after; ///< what must have come since the last step: "EHLO", "\r\n.\r\n"; empty: nothing
        std::string say;
        bool close = false;
        bool stop_reading = false;
    };
    explicit sim_script(std::vector<step> steps) : steps_(std::move(steps)) {}

    void on_open(sim_wire& wire) override;
    void on_octets(std::string_view octets) override;
    void on_closed() override { closed_ = true; }

    const std::string& heard() const noexcept { return heard_; }
    bool closed() const noexcept { return closed_; }
    sim_wire& wire() const noexcept { return *wire_; }

private:
    void go_on();

    std::vector<step> steps_;
    std::size_t next_ = 0, seen_ = 0;
    sim_wire* wire_ = nullptr;
    std::string heard_;
    bool closed_ = false;
};

} // namespace postrider::test
