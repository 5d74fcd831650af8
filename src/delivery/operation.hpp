// SPDX-License-Identifier: MIT
#pragma once
// delivery/operation: running a coroutine of ours for a caller's completion handler.
//
// The coroutine never throws for what the world does: it ends with an error and a value, and both
// reach the handler. Cancellation of any kind reaches what the coroutine is waiting for, which then
// ends by itself, so that the value says how far things got.

#include "net/asio.hpp"
#include "net/complete.hpp"
#include "postrider/completion.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

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

/// First thing in every coroutine that run() starts.
inline asio::awaitable<void> take_cancellation_as_a_fact()
{
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await asio::this_coro::throw_if_cancelled(false);
}

/// `stop` is emitted by the caller's slot and by whoever else wants the operation to end; `at_end`
/// is called before the handler.
template <class Value, class AtEnd>
void run(const asio::any_io_executor& executor, asio::awaitable<ended<Value>> work,
         std::shared_ptr<asio::cancellation_signal> stop, completion<Value> done, AtEnd at_end)
{
    auto slot = asio::get_associated_cancellation_slot(done);
    if (slot.is_connected())
        slot.assign([executor, weak = std::weak_ptr<asio::cancellation_signal>(stop)](asio::cancellation_type type) {
            asio::post(executor, [weak, type] {
                if (auto alive = weak.lock())
                    alive->emit(type);
            });
        });
    auto end = [executor, stop, done = std::move(done), at_end = std::move(at_end)](std::exception_ptr thrown,
                                                                                  ended<Value> result) mutable {
        at_end();
        if (thrown)
            std::rethrow_exception(thrown); // a bug of ours, or no memory: not to be taken for an outcome
        net::complete_later(executor, std::move(done), error_code(result.error), std::move(result.value));
    };
    asio::co_spawn(executor, std::move(work), asio::bind_cancellation_slot(stop->slot(), std::move(end)));
}

} // namespace postrider::delivery
