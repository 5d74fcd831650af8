// SPDX-License-Identifier: MIT
// app/application and what outlives it: the program's own loop, on which things under way come back later,
// and services that somebody holds.

#include "app/loop_engine.hpp"
#include "postrider/app/application.hpp"
#include "postrider/app/client_service.hpp"
#include "postrider/app/clients.hpp"
#include "postrider/app/servers.hpp"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace postrider::app {
namespace {

constexpr std::chrono::seconds patience{20};

TEST(foreign_loop, outlives_an_application_with_connections_open)
{
    boost::asio::io_context program;
    {
        application serving("serving", program.get_executor());
        const auto server = serving.emplace<tcp_server>("127.0.0.1", 0, factory_of<protocol>());
        serving.start();
        const auto client =
            serving.emplace<tcp_client>("127.0.0.1", server->port(), factory_of<protocol, client_factory>());
        while (server->connections() == 0 || !client->connected())
            ASSERT_EQ(program.run_one_for(patience), 1u);
    }
    program.run_for(patience);
    EXPECT_TRUE(program.stopped()) << "something is still waiting";
}

TEST(foreign_loop, outlives_an_application_that_connects)
{
    boost::asio::io_context program;
    {
        application connecting("connecting", program.get_executor());
        connecting.start();
        const auto client =
            connecting.emplace<tcp_client>("127.0.0.1", 1, factory_of<protocol, client_factory>());
    }
    program.run_for(patience);
    EXPECT_TRUE(program.stopped()) << "something is still waiting";
}

TEST(held_services, outlive_their_application_idle)
{
    std::shared_ptr<tcp_server> server;
    std::shared_ptr<tcp_client> client, connecting;
    std::shared_ptr<client_service> keeping;
    {
        application one("one");
        server = one.emplace<tcp_server>("127.0.0.1", 0, factory_of<protocol>());
        one.start();
        const std::uint16_t port = server->port();
        client = one.emplace<tcp_client>("127.0.0.1", port, factory_of<protocol, client_factory>());
        keeping = one.emplace<client_service>("127.0.0.1", port, factory_of<protocol>());
        while (server->connections() < 2 || !client->connected())
            ASSERT_EQ(one.loop().engine().own->run_one_for(patience), 1u);
        connecting = one.emplace<tcp_client>("127.0.0.1", port, factory_of<protocol, client_factory>());
    }
    EXPECT_EQ(server->listening(), "");
    EXPECT_EQ(server->connections(), 0u);
    EXPECT_FALSE(client->connected() || connecting->connected());
}

TEST(held_services, outlive_their_application_stopped)
{
    std::shared_ptr<tcp_server> server;
    {
        application one("one");
        server = one.emplace<tcp_server>("127.0.0.1", 0, factory_of<protocol>());
        one.start();
        const auto client =
            one.emplace<tcp_client>("127.0.0.1", server->port(), factory_of<protocol, client_factory>());
        while (server->connections() == 0 || !client->connected())
            ASSERT_EQ(one.loop().engine().own->run_one_for(patience), 1u);
        one.loop().stop();
        one.loop().run();
    }
    EXPECT_EQ(server->connections(), 0u);
}

} // namespace
} // namespace postrider::app
