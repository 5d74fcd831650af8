// SPDX-License-Identifier: MIT
// net/socket_address: Asio knows the layout of IP addresses; that of paths is ours to read.

#include "net/socket_address.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

namespace postrider::net {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

endpoint ip_endpoint(const sockaddr* data, std::size_t size)
{
    boost::asio::ip::tcp::endpoint here;
    std::memcpy(here.data(), data, std::min(size, here.capacity()));
    boost::asio::ip::address address = here.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
    return endpoint(address, here.port());
}

} // namespace

socket_address::socket_address(const endpoint& from)
{
    if (from.is_unix()) {
        sockaddr_un place{};
        place.sun_family = AF_UNIX;
        const std::string& path = from.path();
        std::copy_n(path.data(), std::min(path.size(), sizeof place.sun_path - 1), place.sun_path);
        std::memcpy(&octets_, &place, sizeof place);
        size_ = sizeof place;
        return;
    }
    const boost::asio::ip::tcp::endpoint place(from.address(), from.port());
    std::memcpy(&octets_, place.data(), place.size());
    size_ = static_cast<socklen_t>(place.size());
}

endpoint socket_address::to_endpoint() const
{
    if (family() != AF_UNIX)
        return ip_endpoint(data(), size_);
    const std::size_t octets = std::min<std::size_t>(size_, sizeof(sockaddr_un));
    std::string path(octets > path_offset ? octets - path_offset : 0, '\0');
    std::memcpy(path.data(), reinterpret_cast<const char*>(&octets_) + path_offset, path.size());
    if (path.starts_with('\0'))
        path.front() = '@';
    path.resize(std::min(path.find('\0'), path.size()));
    return endpoint::at_path(std::move(path));
}

} // namespace postrider::net
