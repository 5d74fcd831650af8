// SPDX-License-Identifier: MIT
// sandbox/http_server: over real sockets: who is answered, how much is taken, how it ends.

#include "sandbox/http_server.hpp"

#include "sandbox/mailbox.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace postrider::sandbox {
namespace {

using tcp = asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A client that blocks.
class raw_client {
public:
    explicit raw_client(std::uint16_t port) : socket_(context_)
    {
        socket_.connect({asio::ip::make_address("127.0.0.1"), port});
    }

    // As long as the server takes it: one that refuses a request need not have read it whole.
    void say(const std::string& octets)
    {
        error_code ignored;
        asio::write(socket_, asio::buffer(octets), ignored);
    }

    /// Up to and with `end`; what there was if the server closed before.
    std::string hear_until(const std::string& end)
    {
        std::string heard;
        error_code closed;
        const auto size = asio::read_until(socket_, asio::dynamic_buffer(heard_), end, closed);
        heard = heard_.substr(0, closed ? heard_.size() : size);
        heard_.erase(0, heard.size());
        return heard;
    }

    std::string hear_all()
    {
        error_code closed;
        asio::read(socket_, asio::dynamic_buffer(heard_), closed);
        return std::exchange(heard_, {});
    }

private:
    asio::io_context context_;
    tcp::socket socket_;
    std::string heard_;
};

std::string get(std::string_view target, std::string_view more = "Host: localhost\r\nConnection: close\r\n")
{
    return "GET " + std::string(target) + " HTTP/1.1\r\n" + std::string(more) + "\r\n";
}

captured_message message(std::string content)
{
    captured_message made;
    made.content = std::move(content);
    return made;
}

struct http_server_test : testing::Test {
    http_server_test() : server(std::make_unique<http_server>(loop.get_executor(), box, "{\"about\":1}"))
    {
        thread = std::thread([this] { loop.run(); });
    }

    ~http_server_test() override
    {
        in_loop([this] { server.reset(); });
        work.reset();
        thread.join(); // ends only if no connection was left behind
    }

    void in_loop(std::function<void()> what)
    {
        std::promise<void> done;
        asio::post(loop, [&] {
            what();
            done.set_value();
        });
        done.get_future().get();
    }

    void add(std::string content)
    {
        in_loop([&] { box.add(message(std::move(content))); });
    }

    std::string ask(const std::string& octets)
    {
        raw_client client(server->port());
        client.say(octets);
        return client.hear_all();
    }

    asio::io_context loop{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
    mailbox box;
    std::unique_ptr<http_server> server;
    std::thread thread;
};

TEST_F(http_server_test, serves_the_page_with_fields_that_bind_the_browser)
{
    const auto answer = ask(get("/"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/html; charset=utf-8\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Security-Policy: default-src 'self';"));
    EXPECT_THAT(answer, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(answer, Not(HasSubstr("unsafe-inline")));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nReferrer-Policy: no-referrer\r\n"));
    EXPECT_THAT(answer, HasSubstr("<title>Postrider sandbox</title>"));
}

TEST_F(http_server_test, answers_several_requests_on_one_connection)
{
    raw_client client(server->port());
    for (int i = 0; i < 3; ++i) {
        client.say(get("/api/sandbox", "Host: 127.0.0.1\r\n"));
        EXPECT_THAT(client.hear_until("{\"about\":1}"), StartsWith("HTTP/1.1 200 "));
    }
    client.say(get("/api/sandbox", "Host: 127.0.0.1\r\n") + get("/api/sandbox"));
    EXPECT_THAT(client.hear_until("{\"about\":1}"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(client.hear_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(http_server_test, refuses_foreign_host_names)
{
    EXPECT_THAT(ask(get("/", "Host: evil.example\r\nConnection: close\r\n")), StartsWith("HTTP/1.1 421 "));
    EXPECT_THAT(ask(get("/", "Connection: close\r\n")), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(ask(get("/", "Host: localhost\r\nHost: evil.example\r\nConnection: close\r\n")),
                StartsWith("HTTP/1.1 400 "));
}

TEST_F(http_server_test, changes_nothing_for_other_sites)
{
    add("text");
    const std::string erase = "DELETE /api/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    EXPECT_THAT(ask(erase + "Origin: https://evil.example\r\n\r\n"), StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(ask(erase + "Sec-Fetch-Site: same-site\r\n\r\n"), StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(
        ask(get("/api/messages", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n")),
        StartsWith("HTTP/1.1 403 "));
    in_loop([this] { EXPECT_EQ(box.size(), 1u); });
    EXPECT_THAT(ask(erase + "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n\r\n"),
                StartsWith("HTTP/1.1 204 "));
    in_loop([this] { EXPECT_EQ(box.size(), 0u); });
}

TEST_F(http_server_test, gives_a_large_source_whole)
{
    std::string content(5'000'000, 'x');
    for (std::size_t i = 0; i < content.size(); i += 997)
        content[i] = static_cast<char>(i % 256);
    add(content);
    const auto answer = ask(get("/api/messages/1/source"));
    EXPECT_THAT(answer.substr(0, 1000),
                HasSubstr("\r\nContent-Disposition: attachment; filename=\"message-1.eml\"\r\n"));
    EXPECT_THAT(answer.substr(0, 1000), HasSubstr("\r\nContent-Length: 5000000\r\n"));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + content));
}

TEST_F(http_server_test, answers_head_without_a_body)
{
    const auto answer = ask("HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
    EXPECT_THAT(ask("HEAD /api/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
                StartsWith("HTTP/1.1 405 "));
}

TEST_F(http_server_test, bounds_what_a_request_may_hold)
{
    EXPECT_THAT(ask(get("/", "Host: localhost\r\nX: " + std::string(9000, 'x') + "\r\n")),
                StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(ask("POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n"),
                StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(ask("this is no request\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(ask(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15)),
                StartsWith("HTTP/1.1 400 "));
}

TEST_F(http_server_test, tells_listeners_of_changes)
{
    raw_client first(server->port()), second(server->port());
    for (auto* client : {&first, &second}) {
        client->say(get("/api/events", "Host: localhost\r\n"));
        EXPECT_THAT(client->hear_until("\r\n\r\n"), HasSubstr("\r\nContent-Type: text/event-stream\r\n"));
        EXPECT_EQ(client->hear_until("\n\n"), "data: {\"count\":0}\n\n");
    }
    add("one");
    EXPECT_THAT(first.hear_until("\n\n"), HasSubstr("data: {\"count\":1}"));
    EXPECT_THAT(second.hear_until("\n\n"), HasSubstr("data: {\"count\":1}"));
    add("two");
    EXPECT_THAT(first.hear_until("\n\n"), HasSubstr("data: {\"count\":2}"));
}

TEST_F(http_server_test, bounds_listeners_and_frees_their_places)
{
    std::vector<std::unique_ptr<raw_client>> listeners;
    for (int i = 0; i < 16; ++i) {
        listeners.push_back(std::make_unique<raw_client>(server->port()));
        listeners.back()->say(get("/api/events", "Host: localhost\r\n"));
        EXPECT_THAT(listeners.back()->hear_until("count\":0}\n\n"), StartsWith("HTTP/1.1 200 "));
    }
    EXPECT_THAT(ask(get("/api/events")), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(ask(get("/api/sandbox")), StartsWith("HTTP/1.1 200 "));
    listeners.clear();
    std::string answer; // the server notices without writing anything, but not before it looks
    for (int i = 0; i < 200 && !answer.starts_with("HTTP/1.1 200 "); ++i) {
        raw_client again(server->port());
        again.say(get("/api/events", "Host: localhost\r\n"));
        answer = again.hear_until("\r\n");
    }
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

TEST_F(http_server_test, serves_later_clients_when_earlier_ones_left)
{
    std::vector<std::unique_ptr<raw_client>> idle;
    for (int i = 0; i < 70; ++i)
        idle.push_back(std::make_unique<raw_client>(server->port()));
    raw_client late(server->port());
    late.say(get("/api/sandbox"));
    idle.clear();
    EXPECT_THAT(late.hear_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(http_server_test, closes_everything_when_it_stops)
{
    raw_client listener(server->port()), idle(server->port());
    listener.say(get("/api/events", "Host: localhost\r\n"));
    listener.hear_until("count\":0}\n\n");
    const auto port = server->port();
    in_loop([this] {
        server->stop();
        server->stop();
        box.add(message("unheard"));
    });
    EXPECT_EQ(listener.hear_all(), "");
    EXPECT_EQ(idle.hear_all(), "");
    EXPECT_THROW(raw_client{port}, boost::system::system_error);
}

TEST(http_server, listens_on_loopback_only)
{
    asio::io_context loop;
    mailbox box;
    for (const auto* address : {"0.0.0.0", "::", "192.0.2.1", "localhost", ""})
        EXPECT_THROW(http_server(loop.get_executor(), box, "{}", address), std::invalid_argument) << address;
    http_server first(loop.get_executor(), box, "{}", "127.0.0.7");
    EXPECT_NE(first.port(), 0);
    EXPECT_THROW(http_server(loop.get_executor(), box, "{}", "127.0.0.7", first.port()),
                 boost::system::system_error);
}

TEST(http_server, may_go_without_its_loop_ever_running)
{
    asio::io_context loop;
    mailbox box;
    http_server server(loop.get_executor(), box, "{}");
}

} // namespace
} // namespace postrider::sandbox
