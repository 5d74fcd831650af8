// SPDX-License-Identifier: MIT
#pragma once
// net/watchdog: one timer a session, re-armed lazily.
//
// A session pushes its deadline back at every step; the timer is only looked at when it fires, and
// then waits for what is left. Racing every operation against a timer of its own costs more than
// everything else a message costs together.

#include "net/environment.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <memory>

namespace postrider::net {

class watchdog {
public:
    /// `barks` is called on the environment's executor when a deadline has passed.
    watchdog(std::shared_ptr<environment> world, std::function<void()> barks);
    ~watchdog();
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;

    /// From now on, this deadline and no other.
    void watch(time_point deadline);

    /// No deadline. Nothing is left waiting, so that an event loop with nothing else to do ends.
    void rest();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace postrider::net
