// SPDX-License-Identifier: MIT
// app/application on a loop of the program's: what is under way when the application goes comes back later.

#include "postrider/app/application.hpp"
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

} // namespace
} // namespace postrider::app
