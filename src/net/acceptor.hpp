// SPDX-License-Identifier: MIT
#pragma once
// net/acceptor: a listening socket, TCP or Unix, and the connections that come out of it.
//
// Out of descriptors or memory it waits a moment and goes on (accept(2) fails, the connection stays in
// the backlog); a connection that was gone before it was accepted is passed over. How it listens:
// net/listening_socket.
//
// Threads: one, that of the executor. What is told is told from the loop, never from inside a call; it
// may pause, close and destroy the acceptor. An exception in it goes through the loop, and the acceptor
// goes on.

#include "net/asio.hpp"
#include "net/endpoint.hpp"
#include "postrider/stream.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace postrider::net {

class acceptor {
public:
    using stream_taker = std::function<void(std::unique_ptr<stream>)>;
    using socket_taker = std::function<void(asio::ip::tcp::socket, const endpoint& peer)>;
    using trouble_listener = std::function<void(error_code)>;

    /// Listens at once. TCP: with SO_REUSEADDR, and IPv6 only on an IPv6 address. Unix: with these
    /// permissions from the first moment; a socket that nobody answers on is replaced, and nothing else
    /// is. Throws std::system_error whose text names the endpoint.
    acceptor(asio::any_io_executor executor, const endpoint& where,
             std::optional<unsigned> mode = std::nullopt);

    /// One that listens already, from the service manager; it is taken over. Throws if it does not, and
    /// leaves it alone.
    acceptor(asio::any_io_executor executor, int listening_socket);

    ~acceptor(); ///< as close()
    acceptor(const acceptor&) = delete;
    acceptor& operator=(const acceptor&) = delete;

    /// Calls `taken` for each connection, until pause() or close(). `trouble` is told what the system
    /// says when it has no room, once each time it begins.
    void start(stream_taker taken, trouble_listener trouble = {});

    /// The same for who needs more of a TCP socket than a stream has.
    void start_sockets(socket_taker taken, trouble_listener trouble = {});

    void pause();          ///< who comes waits in the backlog; start() goes on
    void close() noexcept; ///< removes the file of a Unix socket that was ours

    const endpoint& where() const noexcept; ///< with the real port

private:
    class state;
    std::shared_ptr<state> state_;
};

} // namespace postrider::net
