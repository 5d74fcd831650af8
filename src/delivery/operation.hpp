// SPDX-License-Identifier: MIT
#pragma once
// delivery/operation: running a coroutine of ours for a caller's completion handler.
//
// The coroutine never throws for what the world does: it ends with an error and a value, and both
// reach the handler. Cancellation of any kind reaches what the coroutine is waiting for, which then
// ends by itself, so that the value says how far things got. A signal may also come while it waits
// for nothing, so it asks is_cancelled() before each new wait.

#include "net/asio.hpp"
#include "net/complete.hpp"
#include "postrider/completion.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <memory>
#include <utility>

namespace postrider::delivery {

template <class Value>
struct ended {
    ended() = default;
    ended(std::error_code e, Value v) : error(e), value(std::move(v)) {}

    std::error_code error;
    Value value;
};

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

template <class Value>
asio::awaitable<ended<Value>> begin_and_do(std::shared_ptr<stop_signal> stop, asio::awaitable<ended<Value>> work)
{
    co_await begin(std::move(stop));
    ended<Value> result = co_await std::move(work);
    co_return result;
}

/// `stop` is emitted by the caller's slot and by whoever else wants the operation to end; `at_end`
/// is called before the handler.
template <class Value, class AtEnd>
void run(const asio::any_io_executor& executor, asio::awaitable<ended<Value>> work, std::shared_ptr<stop_signal> stop,
         completion<Value> done, AtEnd at_end)
{
    auto slot = asio::get_associated_cancellation_slot(done);
    if (slot.is_connected())
        slot.assign([executor, weak = std::weak_ptr<stop_signal>(stop)](asio::cancellation_type) {
            asio::post(executor, [weak] {
                if (auto alive = weak.lock())
                    alive->emit();
            });
        });
    // The handler's own executor must not run out of work while the operation is under way.
    auto own = asio::make_work_guard(asio::get_associated_executor(done, executor));
    auto end = [executor, stop, done = std::move(done), own = std::move(own),
                at_end = std::move(at_end)](std::exception_ptr thrown, ended<Value> result) mutable {
        at_end();
        stop.reset();
        if (thrown)
            std::rethrow_exception(thrown); // a bug of ours, or no memory: not to be taken for an outcome
        net::complete_later(executor, std::move(done), error_code(result.error), std::move(result.value));
    };
    const asio::cancellation_slot inner = stop->slot();
    asio::co_spawn(executor, begin_and_do(std::move(stop), std::move(work)),
                   asio::bind_cancellation_slot(inner, std::move(end)));
}

} // namespace postrider::delivery
