// SPDX-License-Identifier: MIT
// unit/app/clients: clients and servers of ours on loopback, and TLS in a simulated world.

#include "postrider/app/application.hpp"
#include "postrider/app/clients.hpp"
#include "postrider/app/servers.hpp"
#include "postrider/error.hpp"
#include "support/sim_authority.hpp"
#include "support/sim_script.hpp"
#include "unit/app/noted_factory.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

namespace postrider::app {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

/// Gives back what comes, and closes.
class echo_once final : public protocol {
public:
    void data_received(std::string_view octets) override
    {
        transport().write(std::string(octets));
        transport().lose_connection();
    }
};

class clients_loopback_test : public testing::Test {
protected:
    clients_loopback_test()
    {
        set_log_observer(
            [this](const log_line& line) { log.push_back(fmt::format("[{}] {}", line.prefix, line.text)); });
        script.when_made = [](protocol& p) { p.transport().write("hello"); };
        makes->when_failed = makes->when_lost = [](connector& which) { which.loop().stop(); };
    }
    ~clients_loopback_test() override { set_log_observer({}); }

    void run()
    {
        if (!application.running())
            application.start();
        application.loop().run();
    }

    app::application application{"loopback"};
    test::script_of_protocols script;
    std::shared_ptr<test::noted_client_factory<>> makes =
        std::make_shared<test::noted_client_factory<>>(script);
    std::vector<std::string> log;
};

TEST_F(clients_loopback_test, over_tcp_by_name)
{
    const auto server = application.emplace<tcp_server>("127.0.0.1", 0, factory_of<echo_once>());
    application.start();
    application.emplace<tcp_client>("localhost", server->port(), makes);
    run();
    EXPECT_EQ(script.heard, "hello");
    EXPECT_EQ(makes->failures.size(), 0u);
}

TEST_F(clients_loopback_test, refused_it_says_where)
{
    std::uint16_t port = 0;
    {
        app::application another("other");
        const auto server = another.emplace<tcp_server>("127.0.0.1", 0, factory_of<echo_once>());
        server->privileged_start();
        port = server->port();
    }
    application.emplace<tcp_client>("localhost", port, makes);
    run();
    ASSERT_EQ(makes->failures.size(), 1u);
    EXPECT_THAT(makes->failures[0].sentence(),
                AllOf(StartsWith(fmt::format("cannot connect to localhost:{} (", port)),
                      HasSubstr(fmt::format("127.0.0.1:{}): Connection refused", port))));
    EXPECT_EQ(application.loop().exit_status(), 69);
}

TEST_F(clients_loopback_test, over_a_unix_socket)
{
    const std::string path =
        fmt::format("{}/postrider-{}.sock", std::filesystem::temp_directory_path().string(), ::getpid());
    application.emplace<unix_server>(path, factory_of<echo_once>());
    application.emplace<unix_client>(path, makes);
    run();
    EXPECT_EQ(script.heard, "hello");
}

TEST_F(clients_loopback_test, a_unix_socket_that_is_not_there)
{
    const auto client = application.emplace<unix_client>("/nonexistent/lmtp", makes);
    EXPECT_EQ(client->connector().destination(), "unix:/nonexistent/lmtp");
    run();
    EXPECT_EQ(makes->failures.at(0).sentence(),
              "cannot connect to unix:/nonexistent/lmtp: No such file or directory");
}

TEST_F(clients_loopback_test, a_path_that_is_none)
{
    application.emplace<unix_client>(std::string(300, 'x'), makes);
    run();
    EXPECT_EQ(makes->failures.at(0).error(), error::invalid_argument);
    EXPECT_THAT(makes->failures.at(0).sentence(),
                HasSubstr("cannot be the path of a Unix socket: it has 300"));
}

class clients_tls_test : public clients_loopback_test {
protected:
    void serve(const test::sim_certificate& what)
    {
        const auto files = authority.issue(what);
        server = application.emplace<tls_server>("127.0.0.1", 0, factory_of<echo_once>(),
                                                 tls_server_settings(files.certificate, files.key));
        application.start();
    }

    test::sim_authority authority;
    std::shared_ptr<tls_server> server;
};

TEST_F(clients_tls_test, verifies_whom_it_speaks_to)
{
    serve({});
    application.emplace<tls_client>("127.0.0.1", server->port(), makes,
                                    tls_client_settings().trust(authority.file()).name("mail.example.org"));
    run();
    EXPECT_EQ(script.heard, "hello");
    EXPECT_TRUE(script.reasons.at(0).clean()) << script.reasons[0].sentence();
}

TEST_F(clients_tls_test, refuses_whom_it_does_not_trust)
{
    serve({});
    const auto client = application.emplace<tls_client>("127.0.0.1", server->port(), makes);
    run();
    ASSERT_EQ(makes->failures.size(), 1u);
    EXPECT_EQ(makes->failures[0].error(), error::certificate_refused);
    EXPECT_THAT(makes->failures[0].sentence(),
                AllOf(StartsWith("cannot connect to " + client->connector().destination() + ": "),
                      HasSubstr("the certificate of 127.0.0.1 is signed by nobody that this host trusts")));
    EXPECT_EQ(script.heard, "");
}

TEST_F(clients_tls_test, says_which_file_cannot_be_read)
{
    serve({});
    application.emplace<tls_client>("127.0.0.1", server->port(), makes,
                                    tls_client_settings().trust("/nonexistent/authorities.pem"));
    run();
    EXPECT_THAT(makes->failures.at(0).sentence(), HasSubstr("/nonexistent/authorities.pem"));
}

// A server that accepts and then is silent holds nobody longer than the client's time.
TEST(clients_tls, a_silent_handshake_has_its_time)
{
    test::service_stage stage;
    test::script_of_protocols script;
    const auto makes = std::make_shared<test::noted_client_factory<>>(script);
    test::sim_place place;
    place.server = [] { return std::make_shared<test::sim_script>(std::vector<test::sim_script::step>()); };
    stage.world->put("192.0.2.1:465", place);
    const auto client = stage.application.emplace<tls_client>("192.0.2.1", 465, makes);
    client->timeout(5s);
    stage.application.start();
    stage.run([&] { return !makes->failures.empty(); });
    EXPECT_EQ(stage.world->elapsed(), 5s);
    EXPECT_EQ(makes->failures.at(0).error(), error::timed_out);
    EXPECT_THAT(makes->failures[0].sentence(), HasSubstr("no end of the TLS handshake within 4998 ms"));
    EXPECT_EQ(stage.world->open_connections(), 0u);

    client->connector().connect();
    stage.world->run(100ms, [] { return false; });
    stage.stop(); // in the handshake
    EXPECT_EQ(makes->failures.at(1).error(), error::cancelled);
    EXPECT_EQ(stage.world->open_connections(), 0u);
}

} // namespace
} // namespace postrider::app
