// SPDX-License-Identifier: MIT
#pragma once
// net/stop_signal: ending a coroutine from outside, at any time and from its first moment on.
//
// The coroutine is not thrown out of what it is doing: cancellation reaches what it waits for, which then
// ends by itself, so that it can say how far things got. A signal may also come while it waits for
// nothing, so it asks is_cancelled() before each new wait.

#include "net/asio.hpp"

#include <boost/asio/cancellation_state.hpp>

#include <memory>

namespace postrider::net {

/// Ends one operation. Asio makes an exception of a signal that comes before the coroutine has had
/// its first turn; this one keeps it until then.
class stop_signal {
public:
    void emit()
    {
        wanted_ = true;
        if (begun_)
            signal_.emit(asio::cancellation_type::all);
    }

    void begin()
    {
        begun_ = true;
        if (wanted_)
            signal_.emit(asio::cancellation_type::all);
    }

    bool wanted() const noexcept { return wanted_; }

    /// For co_spawn's handler.
    asio::cancellation_slot slot() { return signal_.slot(); }

private:
    asio::cancellation_signal signal_;
    bool begun_ = false, wanted_ = false;
};

/// First thing in every coroutine that is spawned with a stop_signal.
inline asio::awaitable<void> begin(std::shared_ptr<stop_signal> stop)
{
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await asio::this_coro::throw_if_cancelled(false);
    stop->begin();
}

inline asio::awaitable<bool> is_cancelled()
{
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

} // namespace postrider::net
