// SPDX-License-Identifier: MIT
// unit/app/tls_server: a server with a certificate of the test's own authority, on loopback.

#include "app/loop_engine.hpp"
#include "net/clock.hpp"
#include "net/socket_stream.hpp"
#include "net/tls_stream.hpp"
#include "postrider/app/application.hpp"
#include "postrider/app/line_receiver.hpp"
#include "postrider/app/servers.hpp"
#include "support/sim_authority.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace postrider::app {
namespace {

using asio::ip::tcp;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

class tls_echo : public line_receiver {
public:
    void line_received(std::string_view line) override { send_line(line); }
};

/// Time stands still, but for what a test moves it.
class tls_server_test : public testing::Test {
protected:
    static void SetUpTestSuite() { authority = std::make_unique<test::sim_authority>(); }
    static void TearDownTestSuite() { authority.reset(); }

    tls_server_test()
    {
        time.make_virtual();
        set_log_observer(
            [this](const log_line& line) { log.push_back(fmt::format("[{}] {}", line.prefix, line.text)); });
        const auto files = authority->issue({});
        server = application.emplace<tls_server>("127.0.0.1", std::uint16_t(0), factory_of<tls_echo>(),
                                                 tls_server_settings(files.certificate, files.key));
        application.start();
    }
    ~tls_server_test() override
    {
        bool over = false;
        asio::co_spawn(context, application.stop(), [&](std::exception_ptr) { over = true; });
        until([&] { return over; });
        set_log_observer({});
    }

    void until(const std::function<bool()>& so)
    {
        while (!so()) {
            context.restart();
            context.run_one();
        }
    }

    tcp::socket plain_client()
    {
        tcp::socket s(context);
        s.connect(tcp::endpoint(asio::ip::address_v4::loopback(), server->port()));
        return s;
    }

    std::unique_ptr<stream> secure_client()
    {
        std::unique_ptr<stream> bare;
        const net::endpoint where(asio::ip::address_v4::loopback(), server->port());
        net::connect_socket(context.get_executor(), where,
                            [&](error_code, std::unique_ptr<stream> s) { bare = std::move(s); });
        until([&] { return bare != nullptr; });
        const auto trusting =
            net::make_tls_context(tls_client_settings().trust(authority->file()).verify(false));
        std::optional<net::tls_result> result;
        net::start_tls(std::move(bare), trusting, "localhost",
                       [&](net::tls_result r) { result.emplace(std::move(r)); });
        until([&] { return result.has_value(); });
        EXPECT_TRUE(result->made) << result->sentence;
        return std::move(result->made);
    }

    std::string ask(stream& of, const std::string& line)
    {
        const asio::const_buffer octets = asio::buffer(line);
        of.async_write({&octets, 1}, [](error_code, std::size_t) {});
        std::array<char, 64> into{};
        std::optional<std::size_t> came;
        of.async_read(asio::buffer(into), [&](error_code, std::size_t n) { came = n; });
        until([&] { return came.has_value(); });
        return {into.data(), *came};
    }

    static std::unique_ptr<test::sim_authority> authority;
    asio::io_context context;
    net::timer_service& time = asio::use_service<net::timer_service>(context);
    std::vector<std::string> log;
    app::application application{"tls", context.get_executor()};
    std::shared_ptr<tls_server> server;
};
std::unique_ptr<test::sim_authority> tls_server_test::authority;

TEST_F(tls_server_test, serves_over_tls)
{
    const auto first = secure_client(), second = secure_client();
    EXPECT_EQ(ask(*first, "one\r\n"), "one\r\n");
    EXPECT_EQ(ask(*second, "two\r\n"), "two\r\n");
    EXPECT_EQ(server->connections(), 2u);
}

TEST_F(tls_server_test, a_client_that_says_nothing_keeps_nobody_waiting_and_has_30_seconds)
{
    auto silent = plain_client();
    until([&] { return server->connections() == 1; });
    const auto other = secure_client();
    EXPECT_EQ(ask(*other, "hello\r\n"), "hello\r\n");
    EXPECT_EQ(server->connections(), 2u);
    const auto began = time.now();
    EXPECT_TRUE(time.advance());
    EXPECT_EQ(time.now() - began, std::chrono::seconds(30));
    until([&] { return server->connections() == 1; });
    EXPECT_THAT(log, Contains(AllOf(HasSubstr("[tls_server] the handshake with 127.0.0.1:"),
                                    HasSubstr("no end after 30 s"))));
    EXPECT_EQ(ask(*other, "still here\r\n"), "still here\r\n");
}

TEST_F(tls_server_test, a_client_that_speaks_no_tls_is_logged_and_closed)
{
    auto plain = plain_client();
    plain.send(asio::buffer("EHLO client.example\r\n", 21));
    until([&] { return log.size() > 1; });
    EXPECT_THAT(log.back(), HasSubstr("[tls_server] the handshake with 127.0.0.1:"));
    EXPECT_EQ(server->connections(), 0u);
}

TEST_F(tls_server_test, handshakes_are_connections_of_which_there_is_a_number)
{
    server->connections_max(1);
    std::optional<tcp::socket> silent = plain_client();
    until([&] { return server->connections() == 1; });
    const auto waiting = plain_client();
    context.restart();
    context.poll();
    EXPECT_EQ(server->connections(), 1u);
    silent.reset();
    until([&] { return log.size() > 2; }); // the handshake of the first has failed
    until([&] { return server->connections() == 1; });
}

TEST_F(tls_server_test, a_stop_ends_handshakes_without_a_word)
{
    const auto silent = plain_client();
    until([&] { return server->connections() == 1; });
    bool over = false;
    asio::co_spawn(context, application.remove(*server), [&](std::exception_ptr) { over = true; });
    until([&] { return over; });
    EXPECT_EQ(server->connections(), 0u);
    EXPECT_EQ(log.size(), 1u) << log.back();
}

TEST_F(tls_server_test, a_certificate_that_cannot_be_read_fails_the_start)
{
    app::application other("other", context.get_executor());
    other.emplace<tls_server>("127.0.0.1", std::uint16_t(0), factory_of<tls_echo>(),
                              tls_server_settings("/nowhere/cert.pem", "/nowhere/key.pem"));
    try {
        other.start();
        FAIL() << "it started";
    } catch (const std::exception& failed) {
        EXPECT_THAT(failed.what(), HasSubstr("/nowhere/cert.pem"));
    }
}

} // namespace
} // namespace postrider::app
