// SPDX-License-Identifier: MIT
// app/clients: connecting, failing, stopping, in a simulated world.

#include "postrider/app/clients.hpp"

#include "postrider/error.hpp"
#include "support/sim_script.hpp"
#include "unit/app/noted_factory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace postrider::app {
namespace {

using namespace std::chrono_literals;
using kind = test::sim_place::kind;
using test::script_of_protocols;
using test::sim_script;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using steps = std::vector<sim_script::step>;
using noted_factory = test::noted_client_factory<>;

class clients_test : public testing::Test {
protected:
    void put(const std::string& address, kind what, steps conversation = {})
    {
        test::sim_place place;
        place.what = what;
        place.server = [this, conversation] { return server = std::make_shared<sim_script>(conversation); };
        stage.world->put(address, place);
    }

    /// Runs until an attempt has failed, and says how.
    std::string failure_of(std::shared_ptr<stream_client> client)
    {
        stage.application.add(client);
        if (!stage.application.running())
            stage.application.start();
        EXPECT_TRUE(makes->failures.empty()) << "never inside the start";
        stage.run([this] { return !makes->failures.empty(); });
        if (makes->failures.empty())
            return "no failure";
        why = makes->failures.back();
        makes->failures.clear();
        EXPECT_TRUE(client->running()) << "the application goes on";
        return why.sentence();
    }

    template <class... Arguments>
    std::string tcp_failure(Arguments... arguments)
    {
        return failure_of(std::make_shared<tcp_client>(arguments..., makes));
    }

    test::service_stage stage;
    script_of_protocols script;
    std::shared_ptr<noted_factory> makes = std::make_shared<noted_factory>(script);
    std::shared_ptr<sim_script> server;
    reason why;
};

TEST_F(clients_test, connects_and_disconnects)
{
    stage.world->dns("mx.example.org A 192.0.2.1");
    put("192.0.2.1:25", kind::listens);
    const auto client = stage.application.emplace<tcp_client>("mx.example.org", 25, makes);
    EXPECT_EQ(client->connector().destination(), "mx.example.org:25");
    EXPECT_THROW(client->connector().loop(), std::logic_error);
    stage.application.start();
    EXPECT_FALSE(client->connected());
    EXPECT_THAT(script.notes, ElementsAre("started", "connecting"));
    stage.run();
    EXPECT_TRUE(client->connected());
    EXPECT_EQ(&client->connector().loop(), &stage.application.loop());
    stage.stop();
    EXPECT_FALSE(client->connected());
    EXPECT_EQ(stage.world->open_connections(), 0u);
    EXPECT_THAT(script.notes,
                ElementsAre("started", "connecting", "made", "stop", "lost: the connection was closed",
                            "connection lost: the connection was closed", "stopped"));
    EXPECT_THAT(stage.log, ElementsAre());
}

TEST_F(clients_test, without_an_address_it_says_what_is_missing)
{
    const char* const no_address =
        "the client has no address: tcp_client(host, port, factory) needs a host name or an IP address";
    EXPECT_EQ(tcp_failure("", 25), no_address);
    EXPECT_EQ(why.error(), error::invalid_argument);
    EXPECT_EQ(tcp_failure("", 0), no_address);
    EXPECT_EQ(tcp_failure(std::vector<std::string>(), 25), no_address);
    EXPECT_EQ(tcp_failure(std::vector<std::string>{"192.0.2.1", ""}, 25), no_address);
    EXPECT_EQ(tcp_failure("mx.example.org", 0),
              "the client has no port: tcp_client(host, port, factory) needs the "
              "one that mx.example.org listens on");
    EXPECT_EQ(stage.application.loop().exit_status(), 69);
    EXPECT_EQ(stage.log.front(), std::string("[makes] ") + no_address);
    stage.stop();
}

TEST_F(clients_test, without_a_factory_too)
{
    stage.application.emplace<tcp_client>("", 0, nullptr);
    stage.application.start();
    stage.run();
    EXPECT_THAT(stage.log, ElementsAre(StartsWith("[client_factory] the client has no address")));
    stage.stop();
}

TEST_F(clients_test, without_a_protocol_it_says_what_to_call)
{
    put("192.0.2.1:25", kind::listens);
    const auto client =
        stage.application.emplace<tcp_client>("192.0.2.1", 25, std::make_shared<client_factory>());
    stage.application.start();
    stage.run();
    EXPECT_THAT(
        stage.log,
        ElementsAre("[client_factory,client] unhandled exception: std::logic_error: client_factory has no "
                    "protocol: call set_protocol<...>() or override build_protocol()"));
    EXPECT_TRUE(client->running()) << "the application goes on";
    EXPECT_EQ(stage.world->open_connections(), 0u);
    stage.stop();
}

TEST_F(clients_test, failures_name_host_address_and_reason)
{
    put("192.0.2.1:25", kind::refuses);
    put("192.0.2.2:25", kind::refuses);
    put("192.0.2.3:25", kind::silent);
    put("[2001:db8::1]:25", kind::unreachable);
    stage.world->dns(
        "one.example.org A 192.0.2.1\n"
        "two.example.org A 192.0.2.1\ntwo.example.org A 192.0.2.2\n"
        "both.example.org A 192.0.2.1\nboth.example.org AAAA 2001:db8::1\n"
        "slow.example.org A 192.0.2.3\n"
        "many.example.org A 192.0.2.1\nmany.example.org A 192.0.2.2\nmany.example.org A 192.0.2.11\n"
        "many.example.org A 192.0.2.12\nmany.example.org A 192.0.2.13\n"
        "none.example.org TXT \"nothing\"\n");
    EXPECT_EQ(tcp_failure("192.0.2.1", 25), "cannot connect to 192.0.2.1:25: Connection refused");
    EXPECT_EQ(why.error(), error::unreachable);
    EXPECT_EQ(tcp_failure("2001:db8::1", 25), "cannot connect to [2001:db8::1]:25: Network is unreachable");
    EXPECT_EQ(tcp_failure("one.example.org", 25),
              "cannot connect to one.example.org:25 (192.0.2.1:25): Connection refused");
    EXPECT_THAT(tcp_failure("two.example.org", 25),
                testing::AnyOf(
                    "cannot connect to two.example.org:25 (192.0.2.1:25, 192.0.2.2:25): Connection refused",
                    "cannot connect to two.example.org:25 (192.0.2.2:25, 192.0.2.1:25): Connection refused"));
    EXPECT_EQ(
        tcp_failure("both.example.org", 25),
        "cannot connect to both.example.org:25 ([2001:db8::1]:25): Network is unreachable; (192.0.2.1:25): "
        "Connection refused");
    EXPECT_EQ(tcp_failure("slow.example.org", 25),
              "cannot connect to slow.example.org:25 (192.0.2.3:25): no answer within 29 seconds");
    EXPECT_THAT(tcp_failure("many.example.org", 25),
                testing::EndsWith("): Connection refused and 1 more addresses"));
    EXPECT_THAT(tcp_failure("gone.example.org", 25), HasSubstr("there is no such domain"));
    EXPECT_EQ(why.error(), error::lookup_failed);
    EXPECT_EQ(tcp_failure("none.example.org", 25),
              "cannot connect to none.example.org:25: none.example.org has no address (the simulated DNS)");
    EXPECT_THAT(tcp_failure("a..b", 25), StartsWith("cannot connect to a..b:25: "));
    EXPECT_EQ(why.error(), error::lookup_failed);
    stage.stop();
}

TEST_F(clients_test, hosts_are_tried_in_their_order)
{
    put("192.0.2.1:25", kind::silent);
    put("192.0.2.2:25", kind::refuses);
    put("192.0.2.3:25", kind::listens);
    const auto client = stage.application.emplace<tcp_client>(
        std::vector<std::string>{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, 25, makes);
    EXPECT_EQ(client->connector().destination(), "192.0.2.1:25, 192.0.2.2:25, 192.0.2.3:25");
    client->timeout(9s);
    stage.application.start();
    stage.run();
    EXPECT_TRUE(client->connected());
    EXPECT_THAT(stage.world->connects(),
                ElementsAre("0 ms 192.0.2.1:25", "3000 ms 192.0.2.2:25", "3002 ms 192.0.2.3:25"))
        << "an equal part of the time for each";
    stage.stop();
    put("192.0.2.3:25", kind::refuses);
    EXPECT_EQ(tcp_failure(std::vector<std::string>{"192.0.2.2", "192.0.2.3"}, 25),
              "cannot connect to 192.0.2.2:25: Connection refused; cannot connect to 192.0.2.3:25: "
              "Connection refused");
    stage.stop();
}

TEST_F(clients_test, connecting_has_its_time)
{
    stage.world->dns("slow.example.org A 192.0.2.1");
    stage.world->dns_delay = 700ms; // up to three times that
    put("192.0.2.1:25", kind::silent);
    const auto client = std::make_shared<tcp_client>("slow.example.org", 25, makes);
    client->timeout(5s);
    failure_of(client);
    EXPECT_GE(stage.world->elapsed(), 5s);
    EXPECT_LE(stage.world->elapsed(), 5'010ms);
    stage.stop();
}

TEST_F(clients_test, may_connect_again_in_its_callbacks)
{
    std::shared_ptr<tcp_client> client;
    put("192.0.2.1:25", kind::refuses);
    makes->when_failed = [&](connector& which) {
        if (makes->failures.size() < 3)
            which.connect();
        else if (makes->failures.size() == 3) {
            put("192.0.2.1:25", kind::listens, {{"", "", true}});
            which.connect();
            EXPECT_THROW(which.connect(), std::logic_error) << "it connects already";
        }
    };
    int lost = 0;
    makes->when_lost = [&](connector& which) {
        if (++lost < 2)
            which.connect();
    };
    script.when_made = [&](protocol&) { EXPECT_THROW(client->connector().connect(), std::logic_error); };
    client = stage.application.emplace<tcp_client>("192.0.2.1", 25, makes);
    stage.application.start();
    stage.run();
    EXPECT_EQ(stage.world->connects().size(), 5u);
    EXPECT_FALSE(client->connected());
    client->connector().connect();
    stage.run();
    EXPECT_EQ(stage.world->connects().size(), 6u);
    stage.stop();
    client->connector().connect();
    stage.run();
    EXPECT_EQ(stage.world->connects().size(), 6u) << "one that was stopped does not connect";
}

TEST_F(clients_test, does_not_connect_again_while_it_is_stopped)
{
    put("192.0.2.1:25", kind::listens);
    makes->when_lost = [](connector& which) {
        EXPECT_FALSE(which.active());
        which.connect();
    };
    stage.application.emplace<tcp_client>("192.0.2.1", 25, makes);
    stage.application.start();
    stage.run();
    stage.stop();
    EXPECT_EQ(stage.world->connects().size(), 1u);
    EXPECT_EQ(script.notes.back(), "stopped");
}

TEST_F(clients_test, can_be_told_to_stop_connecting)
{
    stage.world->dns("mx.example.org A 192.0.2.1");
    put("192.0.2.1:25", kind::silent);
    for (const auto when : {0ms, 1ms, 1'000ms}) {
        SCOPED_TRACE(when.count());
        makes->failures.clear();
        const auto client = std::make_shared<tcp_client>("mx.example.org", 25, makes);
        stage.application.add(client);
        if (!stage.application.running())
            stage.application.start();
        const auto began = stage.world->elapsed();
        if (when > 0ms)
            stage.world->run(when, [] { return false; });
        client->connector().stop_connecting();
        client->connector().disconnect();
        EXPECT_TRUE(makes->failures.empty()) << "never inside the call";
        stage.world->run(20ms, [&] { return !makes->failures.empty(); });
        ASSERT_EQ(makes->failures.size(), 1u);
        EXPECT_EQ(makes->failures[0].error(), error::cancelled);
        EXPECT_LT(stage.world->elapsed() - began, when + 20ms);
    }
    stage.stop();
}

TEST_F(clients_test, is_stopped_while_it_connects)
{
    put("192.0.2.1:25", kind::silent);
    stage.application.emplace<tcp_client>("192.0.2.1", 25, makes);
    stage.application.start();
    stage.world->run(1s, [] { return false; });
    stage.stop();
    EXPECT_LT(stage.world->elapsed(), 1'001ms);
    EXPECT_THAT(script.notes, ElementsAre("started", "connecting", StartsWith("failed: "), "stopped"));
    EXPECT_EQ(makes->failures.at(0).error(), error::cancelled);
}

TEST_F(clients_test, is_stopped_in_its_own_callback)
{
    put("192.0.2.1:25", kind::listens, {{"", "hello"}});
    bool stopped = false;
    script.when_data = [&](protocol& p) {
        p.loop().stop();
        if (!std::exchange(stopped, true))
            p.transport().write("good bye");
    };
    stage.application.emplace<tcp_client>("192.0.2.1", 25, makes);
    stage.application.start();
    stage.run();
    EXPECT_TRUE(stopped);
    EXPECT_FALSE(stage.application.running());
    EXPECT_EQ(server->heard(), "good bye");
    EXPECT_EQ(stage.world->open_connections(), 0u);
    EXPECT_EQ(script.notes.back(), "stopped");
}

TEST_F(clients_test, has_patience_and_then_no_more)
{
    put("192.0.2.1:25", kind::listens);
    script.stops_at_once = false;
    const auto client = stage.application.emplace<tcp_client>("192.0.2.1", 25, makes);
    client->patience(3s);
    stage.application.start();
    stage.run();
    const auto began = stage.world->elapsed();
    stage.stop();
    EXPECT_EQ(stage.world->elapsed() - began, 3s);
    EXPECT_EQ(script.reasons.at(0).error(), error::cancelled);
    EXPECT_THAT(script.reasons[0].sentence(), HasSubstr("did not come to an end"));
    EXPECT_EQ(script.notes.back(), "stopped");
}

TEST_F(clients_test, can_be_started_again)
{
    put("192.0.2.1:25", kind::listens);
    stage.application.emplace<tcp_client>("192.0.2.1", 25, makes);
    for (int i = 1; i <= 2; ++i) {
        stage.application.start();
        stage.run();
        stage.stop();
        EXPECT_EQ(stage.world->connects().size(), static_cast<std::size_t>(i));
    }
}

TEST_F(clients_test, tells_a_factory_of_two_clients_once)
{
    put("192.0.2.1:25", kind::listens);
    stage.application.emplace<tcp_client>("192.0.2.1", 25, makes);
    stage.application.emplace<tcp_client>("192.0.2.1", 25, makes);
    stage.application.start();
    stage.run();
    stage.stop();
    EXPECT_EQ(std::count(script.notes.begin(), script.notes.end(), "started"), 1);
    EXPECT_EQ(std::count(script.notes.begin(), script.notes.end(), "stopped"), 1);
    EXPECT_EQ(script.notes.back(), "stopped");
}

TEST_F(clients_test, goes_on_when_callbacks_of_the_factory_throw)
{
    put("192.0.2.1:25", kind::refuses);
    const auto fail = [](connector&) { throw std::runtime_error("no such row"); };
    makes->when_connecting = makes->when_failed = makes->when_lost = fail;
    const auto client = stage.application.emplace<tcp_client>("192.0.2.1", 25, makes);
    stage.application.start();
    stage.run();
    const std::string line = "[makes] unhandled exception: std::runtime_error: no such row";
    EXPECT_THAT(stage.log, ElementsAre(line, line));
    put("192.0.2.1:25", kind::listens, {{"", "", true}});
    client->connector().connect();
    stage.run();
    EXPECT_THAT(stage.log, ElementsAre(line, line, line, line));
    stage.stop();
    EXPECT_EQ(script.notes.back(), "stopped");
}

TEST_F(clients_test, a_connector_can_be_kept_weakly)
{
    put("192.0.2.1:25", kind::listens);
    std::weak_ptr<connector> kept;
    makes->when_connecting = [&](connector& which) { kept = which.weak_from_this(); };
    {
        test::service_stage inner;
        auto client = std::make_shared<tcp_client>("192.0.2.1", 25, makes);
        inner.application.add(client);
        inner.application.start();
        EXPECT_FALSE(kept.expired());
        inner.run();
    }
    EXPECT_TRUE(kept.expired());
}

TEST_F(clients_test, one_that_is_gone_leaves_nothing)
{
    put("192.0.2.1:25", kind::listens);
    put("192.0.2.2:25", kind::silent);
    for (const char* host : {"192.0.2.1", "192.0.2.2"}) {
        SCOPED_TRACE(host);
        script.notes.clear();
        {
            app::application another("other", engine_in(stage.world));
            another.emplace<tcp_client>(host, 25, makes);
            another.start();
            stage.run();
        }
        stage.run();
        EXPECT_EQ(stage.world->open_connections(), 0u);
    }
}

} // namespace
} // namespace postrider::app
