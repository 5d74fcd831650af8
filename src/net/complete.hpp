// SPDX-License-Identifier: MIT
#pragma once
// net/complete: calling a completion handler where and when Asio promises: on its own executor, and
// never from inside the function that started the operation.

#include "net/asio.hpp"

#include <boost/asio/dispatch.hpp>

#include <tuple>
#include <utility>

namespace postrider::net {

/// Calls `done(values...)` later, through `executor`, on the handler's associated executor.
template <class... Signature, class... Values>
void complete_later(const asio::any_io_executor& executor,
                    asio::any_completion_handler<void(Signature...)> done, Values&&... values)
{
    using arguments = std::tuple<std::decay_t<Signature>...>;
    asio::post(executor,
               [done = std::move(done), all = arguments(std::forward<Values>(values)...)]() mutable {
                   auto own = asio::get_associated_executor(done);
                   auto call = [done = std::move(done), all = std::move(all)]() mutable {
                       std::apply(std::move(done), std::move(all));
                   };
                   asio::dispatch(own, std::move(call));
               });
}

} // namespace postrider::net
