// SPDX-License-Identifier: MIT
// unit/app/servers: servers on loopback, with the system's sockets as their clients.

#include "postrider/app/servers.hpp"

#include "app/loop_engine.hpp"
#include "net/acceptor.hpp"
#include "net/clock.hpp"
#include "postrider/app/application.hpp"
#include "postrider/app/line_receiver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace postrider::app {
namespace {

using asio::ip::tcp;
using local = asio::local::stream_protocol;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class echo : public line_receiver {
public:
    void line_received(std::string_view line) override { send_line(line); }
};

/// Does not come to an end when asked.
class stubborn final : public echo {
public:
    void stop_requested() override {}
};

/// Says good-bye first.
class polite final : public echo {
public:
    void stop_requested() override
    {
        send_line("good-bye");
        transport().lose_connection();
    }
};

/// What a test does in build_protocol(), and how often the factory was in use.
class counting : public factory {
public:
    std::shared_ptr<app::protocol> build_protocol(const std::string& peer) override { return make(peer); }
    void started() override { ++starts; }
    void stopped() override { ++stops; }
    std::string log_prefix() const override { return "counting"; }

    std::function<std::shared_ptr<app::protocol>(const std::string&)> make = [](const std::string&) {
        return std::make_shared<echo>();
    };
    int starts = 0, stops = 0;
};

/// An application on a loop of which the test is the engine. Time stands still: nothing ends by itself.
class servers_test : public testing::Test {
protected:
    servers_test()
    {
        time.make_virtual();
        set_log_observer(
            [this](const log_line& line) { log.push_back(fmt::format("[{}] {}", line.prefix, line.text)); });
        std::filesystem::create_directory(folder);
    }
    ~servers_test() override
    {
        set_log_observer({});
        std::filesystem::remove_all(folder);
    }

    /// Lets things happen until this is so.
    void until(const std::function<bool()>& so)
    {
        while (!so()) {
            context.restart();
            context.run_one();
        }
    }

    void settle()
    {
        context.restart();
        context.poll();
    }

    /// Begins a stop; `over` says when it has ended.
    void begin_stop()
    {
        over = false;
        asio::co_spawn(context, application.stop(), [this](std::exception_ptr failed) {
            EXPECT_FALSE(failed);
            over = true;
        });
        settle();
    }
    void stop()
    {
        begin_stop();
        until([&] { return over; });
    }

    template <class Kind = tcp_server>
    std::shared_ptr<Kind> serve(const std::string& address = "127.0.0.1")
    {
        auto made = application.emplace<Kind>(address, std::uint16_t(0), makes);
        application.start();
        return made;
    }

    tcp::socket client_of(const tcp_server& server, const char* address = "127.0.0.1")
    {
        tcp::socket s(context);
        s.connect(tcp::endpoint(asio::ip::make_address(address), server.port()));
        return s;
    }

    /// What comes next, with the loop running meanwhile; "END" when the other side has closed.
    template <class Socket>
    std::string hear(Socket& from, std::size_t octets)
    {
        std::string heard(octets, '\0');
        std::optional<error_code> done;
        std::size_t came = 0;
        asio::async_read(from, asio::buffer(heard), [&](error_code ec, std::size_t n) {
            done = ec;
            came = n;
        });
        until([&] { return done.has_value(); });
        heard.resize(came);
        return *done == asio::error::eof ? heard + "END" : *done ? (*done).message() : heard;
    }

    template <class Socket>
    std::string ask(Socket& of, const std::string& line)
    {
        asio::write(of, asio::buffer(line + "\r\n"));
        return hear(of, line.size() + 2);
    }

    std::string failure_of_start()
    {
        try {
            application.start();
        } catch (const std::exception& failed) {
            return failed.what();
        }
        return "it started";
    }

    std::string folder =
        (std::filesystem::temp_directory_path() / fmt::format("postrider_servers_{}", ::getpid())).string();
    asio::io_context context;
    net::timer_service& time = asio::use_service<net::timer_service>(context);
    std::vector<std::string> log;
    bool over = false;
    std::shared_ptr<counting> makes = std::make_shared<counting>();
    app::application application{"servers", context.get_executor()};
};

// ---- serving --------------------------------------------------------------------------------

TEST_F(servers_test, many_clients_at_once)
{
    const auto server = serve();
    EXPECT_EQ(server->listening(), fmt::format("127.0.0.1:{}", server->port()));
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 200; ++i)
        clients.push_back(client_of(*server));
    for (std::size_t i = 0; i < clients.size(); ++i)
        EXPECT_EQ(ask(clients[i], fmt::format("client {}", i)), fmt::format("client {}\r\n", i));
    until([&] { return server->connections() == 200; });
    clients.clear();
    until([&] { return server->connections() == 0; });
    EXPECT_EQ(makes->starts, 1);
    EXPECT_EQ(makes->stops, 0);
    stop();
    EXPECT_EQ(makes->stops, 1);
    EXPECT_EQ(server->listening(), "");
    EXPECT_EQ(server->port(), 0);
}

TEST_F(servers_test, ipv6)
{
    const auto server = serve("::1");
    EXPECT_EQ(server->listening(), fmt::format("[::1]:{}", server->port()));
    auto client = client_of(*server, "::1");
    EXPECT_EQ(ask(client, "hello"), "hello\r\n");
    stop();
}

TEST_F(servers_test, each_connection_has_a_number_in_the_log)
{
    class talkative final : public protocol {
    public:
        void connection_made() override { log().info("here"); }
        std::string log_prefix() const override { return "talkative"; }
    };
    makes->make = [](const std::string&) { return std::make_shared<talkative>(); };
    const auto server = serve();
    const auto first = client_of(*server), second = client_of(*server);
    until([&] { return log.size() >= 3; });
    EXPECT_THAT(log, ElementsAre(fmt::format("[tcp_server] listening on {}", server->listening()),
                                 "[talkative,server,1] here", "[talkative,server,2] here"));
    stop();
}

TEST_F(servers_test, clients_that_come_before_the_start_wait_for_it)
{
    const auto server = application.emplace<tcp_server>("127.0.0.1", 0, makes);
    application.privileged_start();
    auto client = client_of(*server);
    settle();
    EXPECT_EQ(server->connections(), 0u);
    application.start();
    EXPECT_EQ(ask(client, "hello"), "hello\r\n");
    stop();
}

TEST_F(servers_test, can_be_started_again)
{
    const auto server = serve();
    stop();
    application.start();
    auto client = client_of(*server);
    EXPECT_EQ(ask(client, "hello"), "hello\r\n");
    stop();
    EXPECT_EQ(makes->starts, 2);
    EXPECT_EQ(makes->stops, 2);
}

// ---- limits ---------------------------------------------------------------------------------

TEST_F(servers_test, beyond_the_limit_clients_wait_until_there_is_room)
{
    const auto server = application.emplace<tcp_server>("127.0.0.1", 0, makes);
    server->connections_max(2);
    application.start();
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 3; ++i)
        clients.push_back(client_of(*server));
    EXPECT_EQ(ask(clients[0], "one"), "one\r\n");
    EXPECT_EQ(ask(clients[1], "two"), "two\r\n");
    settle();
    EXPECT_EQ(server->connections(), 2u);
    EXPECT_THAT(log,
                Contains("[tcp_server] 2 connections are open, as many as allowed: who comes now waits"));
    clients[0].close();
    EXPECT_EQ(ask(clients[2], "three"), "three\r\n");
    EXPECT_EQ(server->connections(), 2u);
    server->connections_max(3);
    auto fourth = client_of(*server);
    EXPECT_EQ(ask(fourth, "four"), "four\r\n");
    EXPECT_THROW(server->connections_max(0), std::invalid_argument);
    stop();
}

// The sanitizer for undefined behaviour needs descriptors of its own: see unit/net/acceptor.
#if !defined(__SANITIZE_ADDRESS__)
TEST_F(servers_test, out_of_descriptors_it_goes_on_with_those_it_has)
{
    const auto server = serve();
    auto first = client_of(*server);
    EXPECT_EQ(ask(first, "one"), "one\r\n");
    auto second = client_of(*server);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(second.native_handle()) + 1;
    ::setrlimit(RLIMIT_NOFILE, &none);
    until([&] { return log.size() > 1; });
    EXPECT_EQ(ask(first, "still here"), "still here\r\n");
    EXPECT_TRUE(time.advance());
    settle();
    EXPECT_EQ(server->connections(), 1u);
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_TRUE(time.advance());
    EXPECT_EQ(ask(second, "two"), "two\r\n");
    EXPECT_THAT(log, ElementsAre(HasSubstr("listening"),
                                 "[tcp_server] connections have to wait, the system has no room for more: "
                                 "Too many open files"));
    stop();
}
#endif

// ---- factories ------------------------------------------------------------------------------

TEST_F(servers_test, a_connection_that_the_factory_refuses_is_closed)
{
    std::string refused;
    makes->make = [&](const std::string& peer) -> std::shared_ptr<app::protocol> {
        if (refused.empty()) {
            refused = peer;
            return nullptr;
        }
        return std::make_shared<echo>();
    };
    const auto server = serve();
    auto first = client_of(*server);
    EXPECT_EQ(hear(first, 1), "END");
    EXPECT_EQ(refused, fmt::format("127.0.0.1:{}", first.local_endpoint().port()));
    auto second = client_of(*server);
    EXPECT_EQ(ask(second, "hello"), "hello\r\n");
    EXPECT_EQ(server->connections(), 1u);
    stop();
}

TEST_F(servers_test, an_exception_of_the_factory_costs_one_connection)
{
    bool fails = true;
    makes->make = [&](const std::string&) -> std::shared_ptr<app::protocol> {
        if (std::exchange(fails, false))
            throw std::runtime_error("no such row");
        return std::make_shared<echo>();
    };
    const auto server = serve();
    auto first = client_of(*server);
    EXPECT_EQ(hear(first, 1), "END");
    auto second = client_of(*server);
    EXPECT_EQ(ask(second, "hello"), "hello\r\n");
    EXPECT_THAT(log, Contains(AllOf(HasSubstr("[counting,server,1]"), HasSubstr("no such row"))));
    stop();
}

TEST_F(servers_test, an_exception_of_the_factory_s_start_stops_the_server)
{
    class failing final : public counting {
        void started() override { throw std::runtime_error("no database"); }
    };
    makes = std::make_shared<failing>();
    const auto server = application.emplace<tcp_server>("127.0.0.1", 0, makes);
    EXPECT_EQ(failure_of_start(), "no database");
    settle();
    EXPECT_EQ(server->listening(), "");
    EXPECT_EQ(makes->stops, 0);
}

TEST_F(servers_test, a_factory_may_stop_the_application)
{
    makes->make = [&](const std::string&) {
        begin_stop();
        return std::make_shared<polite>();
    };
    const auto server = serve();
    auto client = client_of(*server);
    EXPECT_EQ(hear(client, 20), "good-bye\r\nEND");
    until([&] { return over; });
    EXPECT_EQ(server->connections(), 0u);
}

// ---- the end --------------------------------------------------------------------------------

TEST_F(servers_test, stopping_asks_all_and_waits_for_them)
{
    makes->make = [](const std::string&) { return std::make_shared<polite>(); };
    const auto server = serve();
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(client_of(*server));
        EXPECT_EQ(ask(clients.back(), "hello"), "hello\r\n");
    }
    const auto port = server->port();
    stop();
    EXPECT_EQ(server->connections(), 0u);
    for (auto& client : clients)
        EXPECT_EQ(hear(client, 20), "good-bye\r\nEND");
    error_code refused;
    tcp::socket late(context);
    late.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port), refused);
    EXPECT_EQ(refused, asio::error::connection_refused);
    EXPECT_EQ(makes->stops, 1);
}

TEST_F(servers_test, who_does_not_come_to_an_end_is_cut_after_the_patience)
{
    makes->make = [](const std::string&) { return std::make_shared<stubborn>(); };
    const auto server = serve();
    server->patience(std::chrono::minutes(2));
    auto client = client_of(*server);
    EXPECT_EQ(ask(client, "hello"), "hello\r\n");
    begin_stop();
    const auto began = time.now();
    EXPECT_EQ(ask(client, "still here"), "still here\r\n");
    EXPECT_FALSE(over);
    EXPECT_EQ(server->listening(), "");
    EXPECT_TRUE(time.advance());
    until([&] { return over; });
    EXPECT_EQ(time.now() - began, std::chrono::minutes(2));
    EXPECT_EQ(hear(client, 1), "END");
    EXPECT_EQ(log.back(), "[tcp_server] 1 connections have not come to an end in 120000 ms and are cut");
    EXPECT_THROW(server->patience(std::chrono::milliseconds(-1)), std::invalid_argument);
}

TEST_F(servers_test, a_stop_in_time_leaves_no_alarm_behind)
{
    const auto server = serve();
    auto client = client_of(*server);
    EXPECT_EQ(ask(client, "hello"), "hello\r\n");
    stop();
    settle();
    EXPECT_FALSE(time.advance()) << "somebody still waits for something";
}

TEST_F(servers_test, one_that_is_taken_out_is_stopped_while_the_others_go_on)
{
    const auto first = application.emplace<tcp_server>("127.0.0.1", 0, makes);
    const auto second = serve();
    auto one = client_of(*first), two = client_of(*second);
    EXPECT_EQ(ask(one, "hello"), "hello\r\n");
    EXPECT_EQ(ask(two, "hello"), "hello\r\n");
    asio::co_spawn(context, application.remove(*first), [this](std::exception_ptr) { over = true; });
    until([&] { return over; });
    EXPECT_EQ(hear(one, 1), "END");
    EXPECT_EQ(ask(two, "hello"), "hello\r\n");
    EXPECT_EQ(makes->stops, 0);
    stop();
    EXPECT_EQ(makes->stops, 1);
}

TEST_F(servers_test, an_application_may_go_without_a_stop)
{
    std::optional<app::application> brief(std::in_place, "brief");
    tcp_server& server = *brief->emplace<tcp_server>("127.0.0.1", std::uint16_t(0), makes);
    brief->start();
    auto client = client_of(server);
    auto& own = *brief->loop().engine().own;
    while (server.connections() == 0)
        own.run_one();
    brief.reset();
    EXPECT_THAT(hear(client, 1), testing::AnyOf("END", "Connection reset by peer"));
}

// ---- places ---------------------------------------------------------------------------------

TEST_F(servers_test, a_server_that_cannot_listen_names_the_address)
{
    net::acceptor taken(context.get_executor(), *net::endpoint::parse("127.0.0.1:0"));
    application.emplace<tcp_server>("127.0.0.1", taken.where().port(), makes);
    EXPECT_EQ(failure_of_start(),
              fmt::format("cannot listen on {}: Address already in use", taken.where().to_string()));
    EXPECT_EQ(makes->starts, 0);
}

TEST_F(servers_test, what_is_no_address_is_refused_at_once)
{
    EXPECT_THROW(tcp_server("localhost", 25, makes), std::invalid_argument);
    EXPECT_THROW(tcp_server("127.0.0.1:25", 25, makes), std::invalid_argument);
    EXPECT_THROW(tcp_server(std::string("127.0.0.1\0x", 11), 25, makes), std::invalid_argument);
    EXPECT_THROW(tcp_server("127.0.0.1", 25, nullptr), std::invalid_argument);
    EXPECT_THROW(unix_server("relative/path", makes), std::invalid_argument);
    EXPECT_THROW(unix_server("/" + std::string(107, 'x'), makes), std::invalid_argument);
    EXPECT_THROW(unix_server("/run/x", makes, 010000), std::invalid_argument);
}

TEST_F(servers_test, unix_sockets)
{
    const std::string path = folder + "/socket";
    {
        local::acceptor left(context, local::endpoint(path)); // by a process that is gone
    }
    const auto server = application.emplace<unix_server>(path, makes, 0600u);
    std::string peer;
    makes->make = [&](const std::string& who) {
        peer = who;
        return std::make_shared<echo>();
    };
    application.start();
    EXPECT_EQ(server->listening(), "unix:" + path);
    EXPECT_EQ(std::filesystem::status(path).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    local::socket client(context);
    client.connect(local::endpoint(path));
    EXPECT_EQ(ask(client, "hello"), "hello\r\n");
    EXPECT_EQ(peer, "unix:" + path);
    stop();
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(servers_test, a_unix_socket_of_a_living_server_is_refused)
{
    const std::string path = folder + "/socket";
    const net::acceptor living(context.get_executor(), net::endpoint::at_path(path));
    application.emplace<unix_server>(path, makes);
    EXPECT_THAT(failure_of_start(), HasSubstr("cannot listen on unix:" + path + " (somebody listens there)"));
    EXPECT_TRUE(std::filesystem::exists(path));
}

// ---- the service manager's sockets ----------------------------------------------------------

// In a process of its own, as the service manager would start it. Its exit status is the outcome.
[[noreturn]] void serve_one_client_as_a_child()
{
    asio::io_context context;
    tcp::acceptor manager(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket client(context);
    client.connect(manager.local_endpoint());
    const int listening = ::dup(manager.native_handle());
    ::dup2(listening, 3);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_FDNAMES", "smtp", 1);

    app::loop loop(context.get_executor());
    app::application application("child", context.get_executor());
    const auto server = application.emplace<inherited_server>(std::string("smtp"), factory_of<echo>());
    application.start();
    asio::write(client, asio::buffer("hello\r\n", 7));
    std::array<char, 7> heard{};
    bool done = false;
    asio::async_read(client, asio::buffer(heard), [&](error_code, std::size_t) { done = true; });
    while (!done)
        context.run_one();
    const bool right = std::string_view(heard.data(), heard.size()) == "hello\r\n";
    bool stopped = false;
    asio::co_spawn(context, application.stop(), [&](std::exception_ptr) { stopped = true; });
    while (!stopped)
        context.run_one();
    // The manager's own descriptor stays: it listens for whoever is started next.
    int listens = 0;
    socklen_t size = sizeof listens;
    ::getsockopt(3, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    ::_exit(right && listens == 1 && server->connections() == 0 ? 0 : 1);
}

TEST(inherited_server_death_test, serves_on_the_socket_that_was_handed_over)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(serve_one_client_as_a_child(), testing::ExitedWithCode(0), "");
}

TEST_F(servers_test, without_a_socket_the_start_says_so)
{
    application.emplace<inherited_server>(std::string("smtp"), makes);
    EXPECT_THAT(failure_of_start(), HasSubstr("started without"));
}

} // namespace
} // namespace postrider::app
