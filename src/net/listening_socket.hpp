// SPDX-License-Identifier: MIT
#pragma once
// net/listening_socket: a socket that listens, TCP or Unix, from the first moment as it should be.
//
// TCP: with SO_REUSEADDR, and IPv6 only on an IPv6 address. Unix: its file never has more permissions
// than asked for, and has exactly these before anybody can connect. What stands in its place is replaced
// only if it is a socket and the system says that nobody listens on it; the file is removed at the end
// only if it is still the one that was made here.
//
// All of them are non-blocking and closed on exec.
//
// Known limit: of two programs that take over the same left socket in the same instant both may believe
// that they have it, and the later one does. The file is looked at again before it is removed, which
// leaves microseconds; a lock would have to be a file of its own that everybody respects.

#include "net/endpoint.hpp"

#include <sys/types.h>

#include <optional>

namespace postrider::net {

class listening_socket {
public:
    /// Throws std::system_error, whose text names the endpoint.
    static listening_socket open(const endpoint& where, std::optional<unsigned> mode);

    /// One that listens already: the service manager's. Throws the same if it does not; then it is
    /// left alone. Its file is not ours to remove.
    static listening_socket take_over(int socket);

    listening_socket(listening_socket&& other) noexcept;
    listening_socket& operator=(listening_socket&&) = delete;
    ~listening_socket() { close(); }

    int native() const noexcept { return socket_; } ///< -1 once closed
    const endpoint& where() const noexcept { return where_; }
    void close() noexcept;

private:
    struct file {
        dev_t device;
        ino_t inode;
    };

    listening_socket(int socket, endpoint where) : socket_(socket), where_(std::move(where)) {}
    void begin_at_address();
    void begin_at_path(std::optional<unsigned> mode);

    int socket_;
    endpoint where_;
    std::optional<file> made_;
};

} // namespace postrider::net
