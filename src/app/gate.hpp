// SPDX-License-Identifier: MIT
#pragma once
// app/gate: something that happens once, and for which any number of coroutines wait.
//
// Threads: that of the loop.

#include "net/asio.hpp"

#include <list>
#include <memory>

namespace postrider::app {

class gate {
public:
    gate();
    ~gate(); ///< those who still wait are let go of unfinished, as with their loop
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;

    void open(); ///< whoever waits goes on, from the loop; a second call changes nothing
    bool is_open() const noexcept { return open_; }

    /// Completes once it is open: with asio::error::operation_aborted if it is cancelled before. The
    /// gate outlives the start of the coroutine, not necessarily its end.
    asio::awaitable<void> wait();

private:
    struct waiter;
    using waiters = std::list<std::shared_ptr<waiter>>;

    template <class Token>
    auto async_wait(asio::any_io_executor executor, Token&& token)
    {
        return asio::async_initiate<Token, void(error_code)>(
            [this](auto done, asio::any_io_executor where) { start_wait(std::move(where), std::move(done)); },
            token, std::move(executor));
    }
    void start_wait(asio::any_io_executor executor, asio::any_completion_handler<void(error_code)> done);

    std::shared_ptr<waiters> waiting_;
    bool open_ = false;
};

} // namespace postrider::app
