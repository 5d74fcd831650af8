// SPDX-License-Identifier: MIT
#pragma once
// net/use: the completion token of our own coroutines: awaits, and throws on an error.

#include "net/asio.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace postrider::net {

inline constexpr asio::use_awaitable_t<> use{};

} // namespace postrider::net
