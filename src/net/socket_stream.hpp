// SPDX-License-Identifier: MIT
#pragma once
// net/socket_stream: TCP and Unix sockets as streams.
//
// TCP_NODELAY is set: commands and the end of a message must not wait for an acknowledgement of
// what went before (Nagle against delayed ACK costs 40 ms a message).

#include "net/asio.hpp"
#include "net/endpoint.hpp"
#include "postrider/stream.hpp"

#include <memory>

namespace postrider::net {

using connect_handler = asio::any_completion_handler<void(error_code, std::unique_ptr<stream>)>;

/// Connects to one endpoint; no time limit but the system's: the caller's slot ends it.
/// Cancelling completes with asio::error::operation_aborted.
void connect_socket(asio::any_io_executor executor, const endpoint& to, connect_handler done);

/// A socket that is connected already, as accept(2) gives it, with whoever is at the other end. It is
/// taken whatever happens: closed where the event loop cannot take one more (`failed`).
std::unique_ptr<stream> adopt_socket(const asio::any_io_executor& executor, int connected,
                                     const endpoint& peer, error_code& failed);

} // namespace postrider::net
