// SPDX-License-Identifier: MIT
// sandbox/capture_server: over real sockets, spoken to by hand.

#include "sandbox/capture_server.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>

namespace postrider::sandbox {
namespace {

using asio::ip::make_address;
using tcp = asio::ip::tcp;
using testing::HasSubstr;

/// A client that blocks.
class raw_client {
public:
    explicit raw_client(std::uint16_t port, const char* address = "127.0.0.1") : socket_(context_)
    {
        socket_.connect({make_address(address), port});
    }

    void say(const std::string& octets) { asio::write(socket_, asio::buffer(octets)); }

    /// As say(), to somebody who may close before it is all written.
    void try_to_say(const std::string& octets)
    {
        error_code ignored;
        asio::write(socket_, asio::buffer(octets), ignored);
    }

    /// The next reply, all its lines; what has come if the connection ends, and then "closed" or
    /// "reset".
    std::string hear()
    {
        std::string reply;
        for (;;) {
            error_code ended;
            const std::size_t octets = asio::read_until(socket_, asio::dynamic_buffer(held_), "\r\n", ended);
            if (ended)
                return reply + (ended == asio::error::eof ? "closed" : "reset");
            const std::string line = held_.substr(0, octets);
            held_.erase(0, octets);
            reply += line;
            if (line.size() > 3 && line[3] == ' ')
                return reply;
        }
    }

    std::string ask(const std::string& command)
    {
        say(command + "\r\n");
        return hear();
    }

private:
    asio::io_context context_;
    tcp::socket socket_;
    std::string held_;
};

class capture_server_test : public testing::Test {
protected:
    ~capture_server_test() override { finish(); }

    capture_options options(const char* address = "127.0.0.1")
    {
        capture_options o;
        o.smtp.name = "mx.example.org";
        o.addresses.push_back(make_address(address));
        return o;
    }

    void start(capture_options o, capture_server::listener overhears = {})
    {
        server.emplace(world, box, std::move(o), std::move(overhears));
        loop = std::thread([this] { context.run(); });
    }

    /// Runs `f` where the mailbox may be touched.
    template <class F>
    auto on_loop(F f)
    {
        std::packaged_task<decltype(f())()> task(std::move(f));
        auto result = task.get_future();
        asio::post(context, [&task] { task(); });
        return result.get();
    }

    std::shared_ptr<const captured_message> newest()
    {
        return on_loop([this]() -> std::shared_ptr<const captured_message> {
            const auto all = box.search("");
            return all.empty() ? nullptr : all.front();
        });
    }

    /// Stops the server and waits for its loop to run out of work: it does, or the test hangs.
    void finish()
    {
        if (!loop.joinable())
            return;
        asio::post(context, [this] { server->stop(); });
        work.reset();
        loop.join();
    }

    asio::io_context context;
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
    std::shared_ptr<net::environment> world = net::make_environment(context.get_executor());
    mailbox box;
    std::optional<capture_server> server;
    std::thread loop;
};

TEST_F(capture_server_test, has_a_message_in_the_mailbox_before_its_250_leaves)
{
    start(options());
    raw_client client(server->port());
    EXPECT_EQ(client.hear(), "220 mx.example.org ESMTP Postrider\r\n");
    EXPECT_THAT(client.ask("EHLO relay.example"), HasSubstr("250-SIZE 67108864\r\n"));
    client.ask("MAIL FROM:<> BODY=8BITMIME");
    client.ask("RCPT TO:<bob@example.org>");
    EXPECT_THAT(client.ask("DATA"), testing::StartsWith("354 "));
    EXPECT_EQ(client.ask("Subject: hi\r\n\r\n..dot\r\n."), "250 2.0.0 taken by the sandbox\r\n");
    const auto message = newest();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->exchanger, "mx.example.org");
    EXPECT_THAT(message->client, testing::StartsWith("127.0.0.1:"));
    EXPECT_EQ(message->hello, "relay.example");
    EXPECT_EQ(message->reverse_path, "");
    EXPECT_THAT(message->forward_paths, testing::ElementsAre("bob@example.org"));
    EXPECT_THAT(message->parameters, testing::ElementsAre("BODY=8BITMIME"));
    EXPECT_EQ(message->content, "Subject: hi\r\n\r\n.dot\r\n");
    EXPECT_GT(message->received.time_since_epoch().count(), 0);
}

TEST_F(capture_server_test, keeps_the_conversation_up_to_the_final_reply)
{
    start(options());
    raw_client client(server->port());
    client.hear();
    client.say("HELO a.example\r\nMAIL FROM:<ann@a.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n");
    for (int replies = 0; replies < 4; ++replies)
        client.hear();
    client.ask("hello\r\n.");
    client.ask("QUIT");
    std::vector<std::string> said;
    for (const spoken_line& line : newest()->conversation)
        said.push_back(line.who + (": " + line.text));
    EXPECT_THAT(said, testing::ElementsAre(testing::StartsWith("!: connected from 127.0.0.1:"),
                                           "S: 220 mx.example.org ESMTP Postrider", "C: HELO a.example",
                                           "C: MAIL FROM:<ann@a.example>", "C: RCPT TO:<bob@example.org>",
                                           "C: DATA", "S: 250 mx.example.org", "S: 250 2.1.0 sender ok",
                                           "S: 250 2.1.5 recipient ok", testing::StartsWith("S: 354 "),
                                           "C: [7 octets of message]", "C: .",
                                           "S: 250 2.0.0 taken by the sandbox"));
}

TEST_F(capture_server_test, takes_several_messages_on_a_connection_and_several_connections)
{
    start(options());
    raw_client one(server->port()), two(server->port());
    for (raw_client* client : {&one, &two}) {
        client->hear();
        client->ask("HELO a.example");
        for (int messages = 0; messages < 3; ++messages) {
            client->ask("MAIL FROM:<ann@a.example>");
            client->ask("RCPT TO:<postmaster>");
            client->ask("DATA");
            EXPECT_THAT(client->ask("."), testing::StartsWith("250 "));
        }
    }
    EXPECT_EQ(on_loop([this] { return box.size(); }), 6u);
}

TEST_F(capture_server_test, drops_a_message_that_was_not_ended)
{
    start(options());
    {
        raw_client client(server->port());
        client.hear();
        client.ask("HELO a.example");
        client.ask("MAIL FROM:<ann@a.example>");
        client.ask("RCPT TO:<postmaster>");
        client.ask("DATA");
        client.say("half a message\r\n");
    }
    finish();
    EXPECT_EQ(box.size(), 0u);
}

TEST_F(capture_server_test, lets_a_client_read_why_the_connection_ends)
{
    start(options());
    raw_client client(server->port());
    client.hear();
    client.ask("HELO a.example");
    client.ask("MAIL FROM:<ann@a.example>");
    client.ask("RCPT TO:<postmaster>");
    client.ask("DATA");
    client.try_to_say("bare\n" + std::string(512 * 1024, 'x'));
    EXPECT_THAT(client.hear(), testing::StartsWith("550 5.6.11 "));
    EXPECT_EQ(client.hear(), "closed");
}

TEST_F(capture_server_test, tells_those_beyond_the_limit_to_come_again)
{
    capture_options o = options();
    o.sessions_max = 1;
    start(std::move(o));
    std::optional<raw_client> first(server->port());
    first->hear();
    raw_client second(server->port());
    EXPECT_THAT(second.hear(), testing::StartsWith("421 4.3.2 "));
    EXPECT_EQ(second.hear(), "closed");
    EXPECT_THAT(first->ask("QUIT"), testing::StartsWith("221 "));
}

TEST_F(capture_server_test, parts_with_a_silent_client)
{
    capture_options o = options();
    o.smtp.idle_max = std::chrono::seconds(1);
    start(std::move(o));
    raw_client client(server->port());
    client.hear();
    EXPECT_THAT(client.hear(), testing::StartsWith("421 4.4.2 "));
    EXPECT_EQ(client.hear(), "closed");
}

TEST_F(capture_server_test, bounds_what_all_clients_have_under_way)
{
    capture_options o = options();
    o.unfinished_octets_max = 100;
    start(std::move(o));
    raw_client one(server->port()), two(server->port());
    for (raw_client* client : {&one, &two}) {
        client->hear();
        client->ask("HELO a.example");
        client->ask("MAIL FROM:<ann@a.example>");
        client->ask("RCPT TO:<postmaster>");
        client->ask("DATA");
    }
    one.say(std::string(78, 'x') + "\r\n");
    for (;;) { // when two is refused, one's octets have come
        const std::string answer = two.ask(std::string(48, 'y') + "\r\n.");
        if (answer.starts_with("452 4.3.1 "))
            break;
        ASSERT_TRUE(answer.starts_with("250 "));
        two.ask("MAIL FROM:<ann@a.example>");
        two.ask("RCPT TO:<postmaster>");
        two.ask("DATA");
    }
    EXPECT_THAT(one.ask("."), testing::StartsWith("250 "));
    two.ask("MAIL FROM:<ann@a.example>");
    two.ask("RCPT TO:<postmaster>");
    two.ask("DATA");
    EXPECT_THAT(two.ask(std::string(48, 'y') + "\r\n."), testing::StartsWith("250 "));
}

TEST_F(capture_server_test, closes_everything_when_it_is_stopped)
{
    start(options());
    raw_client client(server->port());
    client.hear();
    finish();
    EXPECT_THAT(client.hear(), testing::AnyOf("closed", "reset"));
    EXPECT_THROW(raw_client(server->port()), boost::system::system_error);
}

TEST_F(capture_server_test, listens_on_all_addresses_at_one_port)
{
    capture_options o = options("127.0.0.2");
    o.addresses.push_back(make_address("127.0.0.3"));
    start(std::move(o));
    for (const char* address : {"127.0.0.2", "127.0.0.3"}) {
        raw_client client(server->port(), address);
        EXPECT_THAT(client.hear(), testing::StartsWith("220 "));
    }
    EXPECT_THROW(raw_client(server->port(), "127.0.0.4"), boost::system::system_error);
}

TEST_F(capture_server_test, is_overheard_line_by_line)
{
    std::vector<std::string> overheard; // touched on the loop only, until it has ended
    start(options(), [&](std::string_view exchanger, std::string_view, const spoken_line& line) {
        overheard.push_back(std::string(exchanger) + " " + line.who + " " + line.text);
    });
    {
        raw_client client(server->port());
        client.hear();
        client.ask("QUIT");
        EXPECT_EQ(client.hear(), "closed");
    }
    finish();
    EXPECT_THAT(overheard, testing::IsSupersetOf({"mx.example.org C QUIT",
                                                  "mx.example.org S 221 2.0.0 mx.example.org says goodbye",
                                                  "mx.example.org ! the client said QUIT"}));
}

TEST_F(capture_server_test, refuses_addresses_that_others_can_reach)
{
    for (const char* address : {"0.0.0.0", "192.0.2.1", "::", "2001:db8::1"})
        EXPECT_THROW(capture_server(world, box, options(address)), std::invalid_argument) << address;
    capture_options nowhere = options();
    nowhere.addresses.clear();
    EXPECT_THROW(capture_server(world, box, nowhere), std::invalid_argument);
}

TEST_F(capture_server_test, names_the_address_that_is_taken)
{
    start(options());
    capture_options again = options();
    again.port = server->port();
    try {
        const capture_server second(world, box, again);
        FAIL() << "listens twice on one port";
    } catch (const boost::system::system_error& e) {
        EXPECT_EQ(e.code(), asio::error::address_in_use);
        EXPECT_THAT(e.what(), HasSubstr("cannot listen on 127.0.0.1:" + std::to_string(server->port())));
    }
}

} // namespace
} // namespace postrider::sandbox
