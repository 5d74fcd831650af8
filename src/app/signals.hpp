// SPDX-License-Identifier: MIT
#pragma once
// app/signals: what SIGINT, SIGTERM, SIGHUP and SIGUSR1 mean to a process that runs an application.
//
// They are Asio's signal sets, so the program may wait for the same signals beside. An interrupt or a
// hangup that was ignored when the process was started (nohup, a shell's background) stays ignored.
// A second request to stop must be obeyed even if the loop is stuck in a callback that never returns:
// where the loop has not ended the process a second after it, the process ends itself.

#include "net/asio.hpp"

#include <boost/asio/signal_set.hpp>

#include <functional>
#include <string_view>

namespace postrider::app {

class signals {
public:
    struct reactions {
        std::function<void(std::string_view name)> stop;  ///< the first "SIGINT" or "SIGTERM"
        std::function<void(std::string_view name)> force; ///< each one after it
        std::function<void()> hangup;
        std::function<void()> rotate;
    };

    /// From now on, until this goes: then each is what it was by default. Calls come from `executor`.
    /// One at a time in a process. SIGPIPE is ignored meanwhile.
    signals(const asio::any_io_executor& executor, reactions what);
    ~signals();
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;

private:
    void wait();
    void react(int number);

    reactions reactions_;
    asio::signal_set set_;
    bool stopping_ = false;
};

} // namespace postrider::app
