// SPDX-License-Identifier: MIT
// app/reconnecting_client_factory: when it connects again, and when no more.

#include "postrider/app/reconnecting_client_factory.hpp"

#include "postrider/app/clients.hpp"
#include "support/sim_script.hpp"
#include "unit/app/noted_factory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::app {
namespace {

using namespace std::chrono_literals;
using kind = test::sim_place::kind;
using test::sim_script;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::StartsWith;

using noted_factory = test::noted_client_factory<reconnecting_client_factory>;

class reconnecting_test : public testing::Test {
protected:
    void put(kind what, std::vector<sim_script::step> conversation = {})
    {
        test::sim_place place;
        place.what = what;
        place.server = [conversation] { return std::make_shared<sim_script>(conversation); };
        stage.world->put("192.0.2.1:25", place);
    }

    std::shared_ptr<tcp_client> start(std::shared_ptr<client_factory> with)
    {
        const auto client = stage.application.emplace<tcp_client>("192.0.2.1", 25, std::move(with));
        if (!stage.application.running())
            stage.application.start();
        return client;
    }

    void pass(net::clock::duration time)
    {
        stage.world->at(stage.world->now() + time, [] {}); // time goes on even if nobody waits
        stage.world->run(time, [] { return false; });
    }
    std::size_t attempts() const { return stage.world->connects().size(); }

    test::service_stage stage;
    test::script_of_protocols script;
    std::shared_ptr<noted_factory> makes = std::make_shared<noted_factory>(script, backoff(1s, 2.0, 8s));
};

TEST_F(reconnecting_test, goes_on_until_it_connects)
{
    put(kind::refuses);
    const auto client = start(makes);
    pass(200s);
    EXPECT_GT(attempts(), 20u) << "never more than 8 s between two";
    EXPECT_LT(attempts(), 120u) << "but not in haste";
    EXPECT_THAT(stage.log,
                Each(AllOf(StartsWith("[makes] cannot connect to 192.0.2.1:25: Connection refused; "
                                      "connecting to 192.0.2.1:25 again in "),
                           testing::EndsWith(" s"))));
    EXPECT_EQ(stage.application.loop().exit_status(), 0) << "nothing is lost yet";
    put(kind::listens);
    pass(10s);
    EXPECT_TRUE(client->connected());
    const std::size_t then = attempts();
    pass(100s);
    EXPECT_EQ(attempts(), then);
    stage.stop();
    pass(100s);
    EXPECT_EQ(attempts(), then) << "a stopped client does not connect";
}

TEST_F(reconnecting_test, connects_again_when_it_is_lost)
{
    put(kind::listens, {{"", "bye", true}});
    start(makes);
    pass(60s);
    EXPECT_GT(attempts(), 5u);
    EXPECT_LT(attempts(), 60u) << "a connection that is of no use does not make it quicker";
    EXPECT_THAT(stage.log, Each(StartsWith("[makes] 192.0.2.1:25 closed the connection; connecting to ")));
    stage.stop();
    const std::size_t then = attempts();
    pass(60s);
    EXPECT_EQ(attempts(), then);
}

// Ten times a connection that stood for long is lost: were the waits to grow, the tenth would take long.
TEST_F(reconnecting_test, a_connection_that_stood_shortens_the_wait)
{
    put(kind::listens);
    const auto client = start(makes);
    for (int i = 0; i < 10; ++i) {
        pass(9s);
        ASSERT_TRUE(client->connected()) << i;
        client->connector().disconnect();
        pass(1'010ms);
        EXPECT_TRUE(client->connected()) << i;
    }
    stage.stop();
}

TEST_F(reconnecting_test, a_protocol_may_shorten_it_earlier)
{
    put(kind::listens);
    const auto client = start(makes);
    for (int i = 0; i < 10; ++i) {
        pass(1'010ms);
        ASSERT_TRUE(client->connected()) << i;
        makes->reset_delay();
        client->connector().disconnect();
    }
    stage.stop();
}

TEST_F(reconnecting_test, gives_up_when_told_to)
{
    put(kind::refuses);
    makes->attempts_max(3);
    start(makes);
    stage.run();
    EXPECT_EQ(attempts(), 4u) << "the first, and three more";
    EXPECT_EQ(stage.log.back(), "[makes] cannot connect to 192.0.2.1:25: Connection refused");
    EXPECT_EQ(stage.application.loop().exit_status(), 69);
    stage.stop();
}

TEST_F(reconnecting_test, stops_trying)
{
    put(kind::refuses);
    const auto client = start(makes);
    pass(5ms); // it waits
    makes->stop_trying();
    stage.run();
    EXPECT_EQ(attempts(), 1u);
    client->connector().connect();
    stage.run();
    EXPECT_EQ(attempts(), 2u) << "an end is the end";
    stage.stop();
}

TEST_F(reconnecting_test, leaves_alone_who_connected_meanwhile)
{
    put(kind::refuses);
    const auto client = start(makes);
    pass(5ms);
    put(kind::listens);
    client->connector().connect();
    pass(100s);
    EXPECT_TRUE(client->connected());
    EXPECT_EQ(attempts(), 2u);
    EXPECT_EQ(stage.application.loop().exit_status(), 0);
    stage.stop();
}

TEST_F(reconnecting_test, serves_several_clients)
{
    put(kind::refuses);
    const auto one = start(makes);
    const auto other = start(makes);
    pass(5ms);
    put(kind::listens);
    pass(10s);
    EXPECT_TRUE(one->connected());
    EXPECT_TRUE(other->connected());
    stage.stop();
}

TEST_F(reconnecting_test, a_client_or_a_factory_that_is_gone_is_left_alone)
{
    put(kind::refuses);
    {
        app::application another("other", engine_in(stage.world));
        another.emplace<tcp_client>("192.0.2.1", 25, makes);
        another.start();
        stage.world->run(5ms, [] { return false; });
    }
    stage.run();
    EXPECT_EQ(attempts(), 1u);
    start(std::make_shared<reconnecting_client_factory>());
    pass(5ms);
    bool removed = false;
    asio::co_spawn(stage.context, stage.application.remove(*stage.application.services().front()),
                   [&removed](std::exception_ptr) { removed = true; });
    stage.run();
    EXPECT_TRUE(removed);
    EXPECT_EQ(attempts(), 2u);
}

} // namespace
} // namespace postrider::app
