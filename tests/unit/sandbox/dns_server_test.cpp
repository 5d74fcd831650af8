// SPDX-License-Identifier: MIT
// unit/sandbox/dns_server: over real sockets on loopback, asked by hand.

#include "sandbox/dns_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <gtest/gtest.h>

#include <poll.h>

#include <array>
#include <chrono>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace postrider::sandbox {
namespace {

using asio::ip::make_address;
using dns::rcode;
using dns::type;
using tcp = asio::ip::tcp;
using udp = asio::ip::udp;
using octets = std::vector<std::uint8_t>;

constexpr const char* served_text = R"(
example.org      MX   10 mx1.example.org
mx1.example.org  A    127.0.0.2
silent.example   SILENT
)";

/// The server and its loop in a thread of their own. What is touched after that is touched there.
class served {
public:
    explicit served(std::string text = served_text, const char* address = "127.0.0.1")
        : server_(context_.get_executor(), std::make_shared<const zone>(zone::parse(text).value()), address,
                  0,
                  [this](const answered_question& q) {
                      const std::lock_guard held(mutex_);
                      seen_.push_back(q);
                  }),
          thread_([this] { context_.run(); })
    {
    }
    ~served()
    {
        stop();
        guard_.reset();
        thread_.join();
    }

    void stop()
    {
        std::promise<void> stopped;
        asio::post(context_, [&] {
            server_.stop();
            stopped.set_value();
        });
        stopped.get_future().wait();
    }

    std::uint16_t port() const { return server_.port(); }
    std::vector<answered_question> seen()
    {
        const std::lock_guard held(mutex_);
        return seen_;
    }

private:
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
    std::mutex mutex_;
    std::vector<answered_question> seen_;
    dns_server server_;
    std::thread thread_;
};

/// Asio's blocking calls know no time limit, not even the socket's own.
bool readable_within(int socket, std::chrono::milliseconds limit)
{
    pollfd waiting{socket, POLLIN, 0};
    return poll(&waiting, 1, static_cast<int>(limit.count())) == 1;
}

void expect_octets(int socket)
{
    if (!readable_within(socket, std::chrono::seconds(10)))
        throw std::runtime_error("nothing came within 10 seconds");
}

dns::message query(std::string_view owner, type kind, std::uint16_t id = 7)
{
    dns::message q;
    q.id = id;
    q.questions.push_back({dns::name::parse(owner).value(), kind});
    return q;
}

class udp_client {
public:
    explicit udp_client(std::uint16_t port, const char* address = "127.0.0.1")
        : to_(make_address(address), port), socket_(context_, to_.protocol())
    {
    }

    void send(const octets& all) { socket_.send_to(asio::buffer(all), to_); }

    octets receive()
    {
        expect_octets(socket_.native_handle());
        std::array<std::uint8_t, 8192> buffer;
        udp::endpoint from;
        return {buffer.begin(), buffer.begin() + socket_.receive_from(asio::buffer(buffer), from)};
    }

    dns::message ask(const dns::message& q)
    {
        send(dns::serialize(q));
        return dns::parse_message(receive()).value();
    }

private:
    asio::io_context context_;
    udp::endpoint to_;
    udp::socket socket_;
};

octets framed(const octets& all)
{
    octets with_length{static_cast<std::uint8_t>(all.size() >> 8),
                       static_cast<std::uint8_t>(all.size() & 0xff)};
    with_length.insert(with_length.end(), all.begin(), all.end());
    return with_length;
}

octets framed(const dns::message& q) { return framed(dns::serialize(q)); }

class tcp_client {
public:
    explicit tcp_client(std::uint16_t port) : socket_(context_)
    {
        socket_.connect({make_address("127.0.0.1"), port});
    }

    void send(const octets& all) { asio::write(socket_, asio::buffer(all)); }

    dns::message receive()
    {
        expect_octets(socket_.native_handle());
        std::array<std::uint8_t, 2> length;
        asio::read(socket_, asio::buffer(length));
        octets all(static_cast<std::size_t>(length[0] << 8 | length[1]));
        asio::read(socket_, asio::buffer(all));
        return dns::parse_message(all).value();
    }

    /// True if the server closes, and says nothing before.
    bool is_closed()
    {
        expect_octets(socket_.native_handle());
        std::uint8_t octet = 0;
        error_code ended;
        asio::read(socket_, asio::buffer(&octet, 1), ended);
        return ended == asio::error::eof || ended == asio::error::connection_reset;
    }

    bool is_quiet() { return !readable_within(socket_.native_handle(), std::chrono::milliseconds(200)); }

private:
    asio::io_context context_;
    tcp::socket socket_;
};

TEST(sandbox_dns_server, answers_over_udp_and_tcp_on_the_same_port)
{
    served s;
    const auto over_udp = udp_client(s.port()).ask(query("example.org", type::mx, 0x1234));
    EXPECT_EQ(over_udp.id, 0x1234);
    EXPECT_TRUE(over_udp.response);
    EXPECT_EQ(over_udp.answers.size(), 1u);
    tcp_client client(s.port());
    client.send(framed(query("nowhere.example", type::mx)));
    EXPECT_EQ(client.receive().code, rcode::name_error);
}

TEST(sandbox_dns_server, listens_on_ipv6_too)
{
    served s(served_text, "::1");
    EXPECT_EQ(udp_client(s.port(), "::1").ask(query("mx1.example.org", type::a)).answers.size(), 1u);
}

TEST(sandbox_dns_server, listens_on_loopback_only)
{
    asio::io_context context;
    const auto empty = std::make_shared<const zone>();
    for (const auto* address : {"0.0.0.0", "192.0.2.1", "::", "2001:db8::1", "localhost", ""})
        EXPECT_THROW(dns_server(context.get_executor(), empty, address, 0), std::invalid_argument) << address;
}

TEST(sandbox_dns_server, a_port_that_is_taken_is_named)
{
    served s;
    asio::io_context context;
    try {
        dns_server second(context.get_executor(), std::make_shared<const zone>(), "127.0.0.1", s.port());
        ADD_FAILURE() << "it listens";
    } catch (const boost::system::system_error& failed) {
        const std::string where = "listening for DNS on 127.0.0.1:" + std::to_string(s.port());
        EXPECT_EQ(std::string(failed.what()).find(where), 0u) << failed.what();
    }
}

TEST(sandbox_dns_server, long_answers_are_cut_over_udp_and_whole_over_tcp)
{
    std::string text;
    for (int i = 0; i < 40; ++i)
        text += "big.example TXT \"" + std::to_string(i) + std::string(30, 'x') + "\"\n";
    served s(text);
    udp_client client(s.port());
    auto q = query("big.example", type::txt);
    const auto cut = client.ask(q);
    EXPECT_TRUE(cut.truncated);
    EXPECT_TRUE(cut.answers.empty());
    q.edns_size = 65535;
    const auto larger = client.ask(q);
    EXPECT_FALSE(larger.truncated);
    EXPECT_EQ(larger.answers.size(), 40u);
    tcp_client stream(s.port());
    stream.send(framed(query("big.example", type::txt)));
    EXPECT_EQ(stream.receive().answers.size(), 40u);
}

TEST(sandbox_dns_server, an_answer_keeps_to_the_size_that_was_asked_for_but_512)
{
    std::string text;
    for (int i = 0; i < 12; ++i)
        text += "some.example TXT \"" + std::to_string(i) + std::string(20, 'x') + "\"\n";
    served s(text);
    udp_client client(s.port());
    auto q = query("some.example", type::txt);
    q.edns_size = 0; // RFC 6891 §6.2.3: less than 512 means 512
    EXPECT_EQ(client.ask(q).answers.size(), 12u);
}

TEST(sandbox_dns_server, garbage_over_udp_is_ignored)
{
    served s;
    udp_client client(s.port());
    auto response = query("example.org", type::mx, 1);
    response.response = true;
    client.send({});
    client.send({1, 2, 3});
    client.send(octets(600, 0xff));
    client.send(octets(9000, 0)); // more than is ever read
    client.send(dns::serialize(response));
    client.send(dns::serialize(query("silent.example", type::mx, 2)));
    // One thread answers in order: the first answer that comes is to the first query that is one.
    EXPECT_EQ(client.ask(query("example.org", type::mx, 3)).id, 3);
}

TEST(sandbox_dns_server, pipelined_queries_are_answered_in_order)
{
    served s;
    tcp_client client(s.port());
    octets all;
    for (std::uint16_t id = 1; id <= 200; ++id) {
        const auto one = framed(query(id % 2 ? "example.org" : "silent.example", type::mx, id));
        all.insert(all.end(), one.begin(), one.end());
    }
    client.send(all);
    for (std::uint16_t id = 1; id <= 200; id += 2)
        EXPECT_EQ(client.receive().id, id);
}

TEST(sandbox_dns_server, a_query_may_come_octet_by_octet)
{
    served s;
    tcp_client client(s.port());
    for (const auto octet : framed(query("example.org", type::mx, 9)))
        client.send({octet});
    EXPECT_EQ(client.receive().id, 9);
}

TEST(sandbox_dns_server, garbage_over_tcp_ends_the_connection)
{
    served s;
    auto response = query("example.org", type::mx);
    response.response = true;
    for (const auto& garbage :
         {framed(octets{}), framed(octets{1, 2, 3}), framed(octets(300, 0xff)), framed(response)}) {
        tcp_client client(s.port());
        client.send(garbage);
        EXPECT_TRUE(client.is_closed());
    }
}

TEST(sandbox_dns_server, a_connection_has_five_seconds_for_a_query)
{
    served s;
    tcp_client idle(s.port()), half(s.port());
    half.send({0, 30, 1});
    EXPECT_TRUE(idle.is_closed());
    EXPECT_TRUE(half.is_closed());
}

TEST(sandbox_dns_server, sixty_four_connections_are_served_and_the_next_waits)
{
    served s;
    std::list<tcp_client> clients;
    for (int i = 0; i < 64; ++i) {
        clients.emplace_back(s.port());
        clients.back().send(framed(query("example.org", type::mx)));
        EXPECT_EQ(clients.back().receive().answers.size(), 1u);
    }
    tcp_client next(s.port());
    next.send(framed(query("example.org", type::mx, 65)));
    EXPECT_TRUE(next.is_quiet()); // it waits: neither closed nor answered
    clients.pop_front();
    EXPECT_EQ(next.receive().id, 65);
}

TEST(sandbox_dns_server, the_observer_is_told_what_became_of_each_question)
{
    served s;
    udp_client client(s.port());
    client.send(dns::serialize(query("silent.example", type::a)));
    client.ask(query("example.org", type::mx));
    tcp_client stream(s.port());
    stream.send(framed(query("nowhere.example", type::aaaa)));
    stream.receive();
    const auto seen = s.seen();
    ASSERT_EQ(seen.size(), 3u);
    EXPECT_FALSE(seen[0].tcp);
    EXPECT_FALSE(seen[0].code);
    EXPECT_EQ(seen[0].client.find("127.0.0.1:"), 0u);
    EXPECT_EQ(seen[1].asked.owner.to_string(), "example.org");
    EXPECT_EQ(seen[1].code, rcode::no_error);
    EXPECT_EQ(seen[1].answers, 1u);
    EXPECT_TRUE(seen[2].tcp);
    EXPECT_EQ(seen[2].asked.kind, type::aaaa);
    EXPECT_EQ(seen[2].code, rcode::name_error);
}

TEST(sandbox_dns_server, stop_closes_everything_and_may_be_called_again)
{
    served s;
    tcp_client client(s.port());
    client.send(framed(query("example.org", type::mx)));
    client.receive();
    s.stop();
    EXPECT_TRUE(client.is_closed());
    asio::io_context context;
    tcp::socket socket(context);
    error_code failure;
    socket.connect({make_address("127.0.0.1"), s.port()}, failure);
    EXPECT_EQ(failure, asio::error::connection_refused);
    s.stop();
}

/// Runs until the server, stopped by its observer at the first question, has nothing left waiting.
/// A server that goes on would keep this from coming back, and the test's time limit would tell.
void run_until_told(bool over_tcp)
{
    asio::io_context context;
    std::unique_ptr<dns_server> server;
    int told = 0;
    const auto stop = [&](const answered_question&) {
        ++told;
        server->stop();
    };
    server = std::make_unique<dns_server>(context.get_executor(), std::make_shared<const zone>(), "127.0.0.1",
                                          0, stop);
    udp_client datagrams(server->port());
    tcp_client stream(server->port());
    if (over_tcp)
        stream.send(framed(query("example.org", type::mx)));
    else
        datagrams.send(dns::serialize(query("example.org", type::mx)));
    context.run();
    EXPECT_EQ(told, 1);
}

TEST(sandbox_dns_server, the_observer_may_stop_the_server)
{
    run_until_told(false);
    run_until_told(true);
}

} // namespace
} // namespace postrider::sandbox
