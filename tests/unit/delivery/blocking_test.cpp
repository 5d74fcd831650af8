// SPDX-License-Identifier: MIT
// unit/delivery/blocking: the synchronous form, against a real socket on loopback.
#include "postrider/blocking.hpp"

#include "net/asio.hpp"
#include "postrider/error.hpp"
#include "support/sim_mail.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <istream>
#include <string>
#include <thread>

namespace postrider {
namespace {

using asio::ip::tcp;
using test::verdicts;

// Serves connections one after the other, until it is gone. It takes all mail; to a recipient called
// "lost" it says nothing and closes.
class small_server {
public:
    small_server()
        : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), thread_([this] { run(); })
    {
    }

    ~small_server()
    {
        over_ = true;
        error_code ignored;
        tcp::socket knock(context_);
        knock.connect(acceptor_.local_endpoint(), ignored);
        thread_.join();
    }

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    void run()
    {
        for (;;) {
            tcp::socket s(context_);
            acceptor_.accept(s);
            if (over_)
                return;
            error_code until_it_ends;
            serve(s, until_it_ends);
        }
    }

    static void say(tcp::socket& s, const std::string& line, error_code& ec)
    {
        asio::write(s, asio::buffer(line + "\r\n"), ec);
    }

    static void serve(tcp::socket& s, error_code& ec)
    {
        asio::streambuf heard;
        say(s, "220 small", ec);
        bool content = false;
        while (!ec) {
            asio::read_until(s, heard, "\r\n", ec);
            if (ec)
                return;
            std::string line;
            std::istream in(&heard);
            std::getline(in, line);
            if (content) {
                content = line != ".\r";
                if (!content)
                    say(s, "250 taken", ec);
            } else if (line.starts_with("DATA")) {
                content = true;
                say(s, "354 go on", ec);
            } else if (line.find("lost") != std::string::npos) {
                return;
            } else {
                say(s, line.starts_with("QUIT") ? "221 bye" : "250 ok", ec);
            }
        }
    }

    asio::io_context context_;
    tcp::acceptor acceptor_;
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

message to(std::string_view recipient)
{
    return {envelope("ann@a.example", {recipient}), "Subject: x\n\nhi\n"};
}

TEST(blocking, client)
{
    const small_server there;
    blocking_client smtp(settings().our_name("client.example"));
    EXPECT_FALSE(smtp.is_open());
    const connect_report connected = smtp.connect(server(fmt::format("127.0.0.1:{}", there.port())));
    EXPECT_EQ(connected.said->code(), 220);
    EXPECT_TRUE(smtp.is_open());
    EXPECT_EQ(verdicts(smtp.send(to("bob@b.example"))), "delivered 250");
    EXPECT_EQ(smtp.send_all({to("bob@b.example"), to("eve@b.example")}).size(), 2u);
    smtp.quit();
    EXPECT_FALSE(smtp.is_open());
}

TEST(blocking, a_conversation_that_breaks_is_thrown_with_its_report)
{
    const small_server there;
    blocking_client smtp(settings().our_name("client.example"));
    smtp.connect(server(fmt::format("127.0.0.1:{}", there.port())));
    try {
        smtp.send(to("lost@b.example"));
        FAIL() << "nothing was thrown";
    } catch (const send_error& e) {
        EXPECT_EQ(e.code(), make_error_code(error::connection_lost));
        EXPECT_EQ(verdicts(e.report()), "deferred");
    }
    EXPECT_EQ(verdicts(smtp.send(to("bob@b.example"))), "delivered 250") << "over a new connection";
}

TEST(blocking, nobody_there)
{
    std::uint16_t port = 0;
    {
        const small_server gone;
        port = gone.port();
    }
    blocking_client smtp;
    try {
        smtp.connect(server(fmt::format("127.0.0.1:{}", port)));
        FAIL() << "nothing was thrown";
    } catch (const connect_error& e) {
        EXPECT_EQ(e.code(), make_error_code(error::unreachable));
        EXPECT_EQ(e.report().meaning, verdict::deferred);
    }
    EXPECT_THROW(smtp.send(to("bob@b.example")), send_error);
}

TEST(blocking, mailer)
{
    const small_server there;
    blocking_mailer direct(settings().our_name("client.example").exchanger_port(there.port()));
    EXPECT_EQ(verdicts(direct.deliver(to("bob@[127.0.0.1]"))), "delivered 250");
    EXPECT_EQ(verdicts(direct.deliver(to("lost@[127.0.0.1]"))), "deferred");
    EXPECT_EQ(direct.deliver_all({to("bob@[127.0.0.1]"), to("eve@[127.0.0.1]")}).size(), 2u);
    const std::vector<planned_route> plan = direct.plan(envelope("", {"bob@[127.0.0.1]"}));
    ASSERT_EQ(plan.size(), 1u);
    EXPECT_EQ(plan[0].hosts[0].addresses[0], fmt::format("127.0.0.1:{}", there.port()));
}

TEST(blocking, settings_that_cannot_be_used_are_thrown)
{
    blocking_mailer direct(settings().our_name("not a name"));
    EXPECT_THROW(direct.deliver(to("bob@[127.0.0.1]")), send_error);
    EXPECT_THROW(direct.plan(envelope("", {"bob@[127.0.0.1]"})), std::system_error);
}

} // namespace
} // namespace postrider
