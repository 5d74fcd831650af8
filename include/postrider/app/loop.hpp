// SPDX-License-Identifier: MIT
#pragma once
// app/loop: the event loop of an application: Asio's, with the few words that callbacks need.
//
// Whatever takes an executor (clients, timers, sockets of the program's own) runs on get_executor().
// From a callback to a coroutine: spawn(). From a coroutine to a callback: Asio's completion tokens; any
// operation that can be awaited also takes a function. Failures that nobody took are logged, never
// swallowed, and the loop goes on; the exit status remembers that there was one.
//
// One thread runs it; call_soon() and stop() may be called from any.

#include "postrider/app/log.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace postrider::app {

struct loop_engine;

/// A call that is still to come. Letting go of it does not call it off.
class delayed_call {
public:
    delayed_call() = default;
    void cancel();                ///< does nothing if it has been made, or called off
    bool active() const noexcept; ///< still to come

private:
    friend class loop;
    struct state;
    std::shared_ptr<state> state_;
};

class loop {
public:
    using duration = std::chrono::nanoseconds;

    loop();                                               ///< an event loop of its own, for run()
    explicit loop(boost::asio::any_io_executor executor); ///< on the program's own, which the program runs
    explicit loop(std::shared_ptr<loop_engine> engine);   // for simulations: app/loop_engine.hpp
    ~loop();
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;

    boost::asio::any_io_executor get_executor() const;

    /// Asks these DNS servers ("192.0.2.53", "127.0.0.1:5300") instead of the system's. Before the
    /// first connection or look-up; throws std::logic_error afterwards.
    void dns_server(std::string server);

    /// Calls `what` once, `after` from now, as a callback under `prefix`. Called off when the loop ends.
    delayed_call call_later(duration after, std::function<void()> what, std::string prefix = "-");

    /// Calls `what` from the loop, soon. Any thread.
    void call_soon(std::function<void()> what, std::string prefix = "-");

    /// Starts a coroutine: from a callback of the loop at once, up to where it first waits. An exception
    /// that leaves it is logged under `prefix`. It is cancelled (total, partial and terminal) when the
    /// loop ends, and has 5 seconds then to end itself; that it was cancelled is no failure. After the
    /// end nothing is started.
    void spawn(boost::asio::awaitable<void> work, std::string prefix = "-");

    /// Completes after `how_long`, or with asio::error::operation_aborted when cancelled.
    template <class Token = boost::asio::use_awaitable_t<>>
    auto async_sleep(duration how_long, Token&& token = Token())
    {
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
            [this](auto done, duration d) { start_sleep(d, std::move(done)); }, token, how_long);
    }

    /// Runs until stop() has led to the end, also while there is nothing to do. Returns exit_status().
    /// What a handler of the program's own throws is logged, and the loop goes on. A loop runs once: a
    /// second call returns at once. Throws std::logic_error for a loop on the program's own executor.
    int run();

    /// Asks for the end. Inside an application its services are stopped first, in order, and the loop
    /// ends when the last of them has; a second call changes nothing but the status. `status` other
    /// than 0 is noted. A loop on the program's own executor ends too, and the executor runs on. Any
    /// thread.
    void stop(int status = 0);
    bool stopping() const noexcept;

    /// What the program should exit with: the first failure noted, or 0.
    int exit_status() const noexcept;
    void note_failure(int status) noexcept;

    loop_engine& engine() noexcept { return *engine_; } // for the library: app/loop_engine.hpp

private:
    void start_sleep(duration how_long, boost::asio::any_completion_handler<void(boost::system::error_code)>);

    std::shared_ptr<loop_engine> engine_;
};

} // namespace postrider::app
