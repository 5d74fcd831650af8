// SPDX-License-Identifier: MIT
#pragma once
// net/socket_address: an endpoint as the system's calls have it, and back.

#include "net/endpoint.hpp"

#include <sys/socket.h>

namespace postrider::net {

class socket_address {
public:
    socket_address() = default; ///< room for the system to write to: data(), and size_to_fill()
    explicit socket_address(const endpoint& from);

    sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&octets_); }
    const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&octets_); }
    socklen_t size() const noexcept { return size_; }
    socklen_t* size_to_fill() noexcept { return &(size_ = sizeof octets_); }
    int family() const noexcept { return octets_.ss_family; }

    /// An IPv4 address that came through an IPv6 socket is an IPv4 address. An abstract name is shown
    /// with @ for its NUL; a Unix socket without a name has an empty path.
    endpoint to_endpoint() const;

private:
    sockaddr_storage octets_{};
    socklen_t size_ = 0;
};

} // namespace postrider::net
