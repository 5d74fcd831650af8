// SPDX-License-Identifier: MIT
// unit/net/socket_stream: real sockets on loopback.
#include "net/socket_stream.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>

namespace postrider::net {
namespace {

using asio::ip::tcp;

class socket_stream_test : public testing::Test {
protected:
    std::unique_ptr<stream> connect(const endpoint& to)
    {
        std::unique_ptr<stream> made;
        connect_socket(context.get_executor(), to, [&](error_code ec, std::unique_ptr<stream> s) {
            why = ec;
            made = std::move(s);
        });
        context.restart();
        context.run();
        return made;
    }

    endpoint here() const
    {
        return *endpoint::parse(fmt::format("127.0.0.1:{}", acceptor.local_endpoint().port()));
    }

    asio::io_context context;
    tcp::acceptor acceptor{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    error_code why;
};

TEST_F(socket_stream_test, octets_go_both_ways)
{
    const auto s = connect(here());
    ASSERT_TRUE(s);
    tcp::socket other = acceptor.accept();
    EXPECT_EQ(s->peer(), here().to_string());
    EXPECT_EQ(s->local_literal(), "[127.0.0.1]");

    std::array<char, 16> in{};
    error_code ec;
    EXPECT_EQ(s->read_now(asio::buffer(in), ec), 0u);
    EXPECT_EQ(ec, asio::error::would_block);

    const std::array<asio::const_buffer, 2> out{asio::buffer("one ", 4), asio::buffer("two", 3)};
    EXPECT_EQ(s->write_now(out, ec), 7u);
    EXPECT_EQ(other.read_some(asio::buffer(in)), 7u);
    EXPECT_EQ(std::string_view(in.data(), 7), "one two");

    std::size_t came = 0;
    s->async_read(asio::buffer(in), [&](error_code, std::size_t n) { came = n; });
    other.send(asio::buffer("hello", 5));
    context.restart();
    context.run();
    EXPECT_EQ(std::string_view(in.data(), came), "hello");

    other.close();
    s->async_read(asio::buffer(in), [&](error_code e, std::size_t) { why = e; });
    context.restart();
    context.run();
    EXPECT_EQ(why, asio::error::eof);
}

TEST_F(socket_stream_test, more_buffers_than_one_write_takes)
{
    const auto s = connect(here());
    ASSERT_TRUE(s);
    tcp::socket other = acceptor.accept();
    std::array<asio::const_buffer, 40> out;
    out.fill(asio::buffer("x", 1));
    std::size_t taken = 0;
    s->async_write(out, [&](error_code, std::size_t n) { taken = n; });
    context.restart();
    context.run();
    EXPECT_GE(taken, 1u);
    EXPECT_LE(taken, 40u);
}

TEST_F(socket_stream_test, closing_ends_what_is_under_way)
{
    const auto s = connect(here());
    ASSERT_TRUE(s);
    tcp::socket other = acceptor.accept();
    std::array<char, 16> in{};
    s->async_read(asio::buffer(in), [&](error_code e, std::size_t) { why = e; });
    s->cancel();
    s->close();
    s->close();
    context.restart();
    context.run();
    EXPECT_EQ(why, asio::error::operation_aborted);
}

TEST_F(socket_stream_test, refused)
{
    const endpoint gone = here();
    acceptor.close();
    EXPECT_FALSE(connect(gone));
    EXPECT_EQ(why, asio::error::connection_refused);
}

TEST_F(socket_stream_test, connecting_can_be_cancelled)
{
    const asio::ip::address_v4 loopback = asio::ip::address_v4::loopback();
    tcp::acceptor full(context, tcp::endpoint(loopback, 0), false);
    full.listen(0);
    const endpoint to = *endpoint::parse(fmt::format("127.0.0.1:{}", full.local_endpoint().port()));
    const auto first = connect(to);
    ASSERT_TRUE(first); // fills the queue of a listener that accepts nobody
    asio::cancellation_signal stop;
    int calls = 0;
    auto done = [&](error_code ec, std::unique_ptr<stream> s) {
        ++calls;
        EXPECT_TRUE(!s || !ec);
        EXPECT_TRUE(s || ec == asio::error::operation_aborted) << ec.message();
    };
    connect_socket(context.get_executor(), to, asio::bind_cancellation_slot(stop.slot(), done));
    stop.emit(asio::cancellation_type::terminal);
    context.restart();
    context.run();
    EXPECT_EQ(calls, 1);
}

TEST_F(socket_stream_test, unix_sockets)
{
    const std::string path =
        (std::filesystem::temp_directory_path() / fmt::format("postrider_{}.sock", ::getpid())).string();
    std::filesystem::remove(path);
    {
        asio::local::stream_protocol::acceptor local(context, asio::local::stream_protocol::endpoint(path));
        const auto s = connect(endpoint::at_path(path));
        ASSERT_TRUE(s) << why.message();
        EXPECT_EQ(s->peer(), "unix:" + path);
        EXPECT_EQ(s->local_literal(), "");
    }
    std::filesystem::remove(path);
}

} // namespace
} // namespace postrider::net
