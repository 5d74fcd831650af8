// SPDX-License-Identifier: MIT
#pragma once
// delivery/operation: running a coroutine of ours for a caller's completion handler.
//
// The coroutine never throws for what the world does: it ends with an error and a value, and both
// reach the handler. Cancellation of any kind reaches it as net/stop_signal says.

#include "net/asio.hpp"
#include "net/stop_signal.hpp"
#include "postrider/completion.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <memory>
#include <system_error>
#include <utility>

namespace postrider::delivery {

template <class Value>
struct ended {
    ended() = default;
    ended(std::error_code e, Value v) : error(e), value(std::move(v)) {}

    std::error_code error;
    Value value;
};

using net::begin;
using net::is_cancelled;
using net::stop_signal;

template <class Value>
asio::awaitable<ended<Value>> begin_and_do(std::shared_ptr<stop_signal> stop,
                                           asio::awaitable<ended<Value>> work)
{
    co_await begin(std::move(stop));
    ended<Value> result = co_await std::move(work);
    co_return result;
}

/// Keeps a handler's own executor from running out of work, and so from stopping, until it has the
/// handler.
template <class Value>
class promised_call {
public:
    promised_call(asio::any_io_executor executor, completion<Value> done)
        : executor_(std::move(executor)),
          own_(asio::make_work_guard(asio::get_associated_executor(done, executor_))), done_(std::move(done))
    {
    }

    void operator()(std::error_code error, Value value) &&
    {
        // One from a std::error_code of 0 would be no error, and yet not equal to error_code().
        const error_code ec = error ? error_code(error) : error_code();
        asio::post(executor_,
                   [own = std::move(own_), done = std::move(done_), ec, value = std::move(value)]() mutable {
                       auto call = [done = std::move(done), ec, value = std::move(value)]() mutable {
                           std::move(done)(ec, std::move(value));
                       };
                       asio::dispatch(own.get_executor(), std::move(call));
                   });
    }

private:
    using own_executor = decltype(asio::get_associated_executor(
        std::declval<const completion<Value>&>(), std::declval<const asio::any_io_executor&>()));

    asio::any_io_executor executor_;
    asio::executor_work_guard<own_executor> own_;
    completion<Value> done_;
};

/// `stop` is emitted by the caller's slot and by whoever else wants the operation to end; `at_end`
/// is called before the handler.
template <class Value, class AtEnd>
void run(const asio::any_io_executor& executor, asio::awaitable<ended<Value>> work,
         std::shared_ptr<stop_signal> stop, completion<Value> done, AtEnd at_end)
{
    auto slot = asio::get_associated_cancellation_slot(done);
    if (slot.is_connected())
        slot.assign([executor, weak = std::weak_ptr<stop_signal>(stop)](asio::cancellation_type) {
            asio::post(executor, [weak] {
                if (auto alive = weak.lock())
                    alive->emit();
            });
        });
    auto end = [stop, call = promised_call<Value>(executor, std::move(done)),
                at_end = std::move(at_end)](std::exception_ptr thrown, ended<Value> result) mutable {
        at_end();
        stop.reset();
        if (thrown)
            std::rethrow_exception(thrown); // a bug of ours, or no memory: not to be taken for an outcome
        std::move(call)(result.error, std::move(result.value));
    };
    const asio::cancellation_slot inner = stop->slot();
    asio::co_spawn(executor, begin_and_do(std::move(stop), std::move(work)),
                   asio::bind_cancellation_slot(inner, std::move(end)));
}

} // namespace postrider::delivery
