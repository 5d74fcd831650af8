// SPDX-License-Identifier: MIT
// net/socket_stream: one class for both kinds of socket, which differ in their address only.

#include "net/socket_stream.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace postrider::net {
namespace {

using socket = asio::generic::stream_protocol::socket;

// A view of buffers as Asio wants a sequence: it copies the sequence, so a view is cheap.
struct buffer_span {
    using value_type = asio::const_buffer;
    using const_iterator = std::span<const asio::const_buffer>::iterator;
    std::span<const asio::const_buffer> all;
    const_iterator begin() const { return all.begin(); }
    const_iterator end() const { return all.end(); }
};

class socket_stream final : public stream {
public:
    socket_stream(socket s, std::string peer) : socket_(std::move(s)), peer_(std::move(peer)) {}

    asio::any_io_executor get_executor() override { return socket_.get_executor(); }

    void async_read(asio::mutable_buffer into, handler done) override
    {
        socket_.async_read_some(into, std::move(done));
    }

    void async_write(std::span<const asio::const_buffer> octets, handler done) override
    {
        // The span's own memory need not outlive this call, but Asio keeps the sequence until the
        // write is done: a fixed-size copy, without allocation. What does not fit goes next time.
        std::array<asio::const_buffer, 16> kept;
        std::copy_n(octets.begin(), std::min(kept.size(), octets.size()), kept.begin());
        socket_.async_write_some(kept, std::move(done));
    }

    std::size_t read_now(asio::mutable_buffer into, error_code& ec) override
    {
        return socket_.read_some(into, ec);
    }

    std::size_t write_now(std::span<const asio::const_buffer> octets, error_code& ec) override
    {
        return socket_.write_some(buffer_span{octets}, ec);
    }

    void cancel() override
    {
        error_code ignored;
        socket_.cancel(ignored);
    }

    void close() noexcept override
    {
        error_code ignored;
        socket_.close(ignored);
    }

    std::string peer() const override { return peer_; }

    std::string local_literal() const override
    {
        error_code ec;
        const auto local = socket_.local_endpoint(ec);
        if (ec || (local.protocol().family() != AF_INET && local.protocol().family() != AF_INET6))
            return {};
        asio::ip::tcp::endpoint here;
        here.resize(local.size());
        std::memcpy(here.data(), local.data(), local.size());
        const auto address = here.address();
        if (address.is_v4())
            return "[" + address.to_string() + "]";
        // From its octets, as the zone of a link-local address has no place in a literal.
        return "[IPv6:" + asio::ip::address_v6(address.to_v6().to_bytes()).to_string() + "]";
    }

private:
    socket socket_;
    std::string peer_;
};

asio::generic::stream_protocol::endpoint to_asio(const endpoint& e)
{
    if (e.is_unix())
        return asio::local::stream_protocol::endpoint(e.path());
    return asio::ip::tcp::endpoint(e.address(), e.port());
}

// A connection being made. Owned by the handler of the operation under way.
struct attempt {
    attempt(asio::any_io_executor executor, const endpoint& to) : at(std::move(executor)), place(to) {}

    socket at;
    endpoint place;
};

} // namespace

void connect_socket(asio::any_io_executor executor, const endpoint& to, connect_handler done)
{
    auto a = std::make_unique<attempt>(std::move(executor), to);
    socket& at = a->at;
    const auto slot = asio::get_associated_cancellation_slot(done);
    auto on_connected = [a = std::move(a), done = std::move(done)](error_code ec) mutable {
        std::unique_ptr<stream> made;
        if (!ec) {
            error_code ignored;
            if (!a->place.is_unix())
                a->at.set_option(asio::ip::tcp::no_delay(true), ignored);
            a->at.non_blocking(true, ec);
        }
        if (!ec)
            made = std::make_unique<socket_stream>(std::move(a->at), a->place.to_string());
        std::move(done)(ec, std::move(made));
    };
    at.async_connect(to_asio(to), asio::bind_cancellation_slot(slot, std::move(on_connected)));
}

std::unique_ptr<stream> adopt_socket(const asio::any_io_executor& executor, int connected,
                                     const endpoint& peer, error_code& failed)
{
    const int family = peer.is_unix() ? AF_UNIX : peer.is_v6() ? AF_INET6 : AF_INET;
    socket at(executor);
    at.assign(asio::generic::stream_protocol(family, 0), connected, failed);
    if (failed) {
        ::close(connected);
        return nullptr;
    }
    at.non_blocking(true, failed);
    if (failed)
        return nullptr;
    error_code ignored;
    if (!peer.is_unix())
        at.set_option(asio::ip::tcp::no_delay(true), ignored);
    return std::make_unique<socket_stream>(std::move(at), peer.to_string());
}

} // namespace postrider::net
