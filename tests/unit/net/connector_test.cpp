// SPDX-License-Identifier: MIT
// unit/net/connector: who is tried when, in simulated time (RFC 8305).
#include "net/connector.hpp"

#include "postrider/error.hpp"
#include "support/sim_script.hpp"
#include "support/sim_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace postrider::net {
namespace {

using namespace std::chrono_literals;
using kind = test::sim_place::kind;
using testing::ElementsAre;

class connector_test : public testing::Test {
protected:
    void put(const std::string& address, kind what, clock::duration delay = 2ms)
    {
        test::sim_place place;
        place.what = what;
        place.connect_delay = delay;
        place.server = [] {
            return std::make_shared<test::sim_script>(std::vector<test::sim_script::step>());
        };
        world->put(address, place);
    }

    void start(const std::vector<std::string>& addresses, connect_limits limits = {})
    {
        std::vector<endpoint> places;
        for (const std::string& a : addresses)
            places.push_back(*endpoint::parse(a));
        began = world->now();
        auto done = [this](connect_result r) {
            ++calls;
            took = world->now() - began;
            got.emplace(std::move(r));
        };
        async_connect_any(world, "mx.example.org", places, limits,
                          asio::bind_cancellation_slot(stop.slot(), done));
    }

    std::vector<std::string> failures() const
    {
        std::vector<std::string> all;
        for (const policy::connect_failure& f : got->failures)
            all.push_back(f.address + " " + f.why.message() + " " + std::to_string(f.waited.count()));
        return all;
    }

    void expect_nothing_left(std::size_t connections)
    {
        world->run();
        EXPECT_EQ(calls, 1);
        EXPECT_EQ(world->open_waits(), 0u);
        EXPECT_EQ(world->open_connections(), connections);
    }

    asio::io_context context;
    std::shared_ptr<test::sim_world> world = std::make_shared<test::sim_world>(context, 1);
    asio::cancellation_signal stop;
    std::optional<connect_result> got;
    time_point began;
    clock::duration took{};
    int calls = 0;
};

TEST_F(connector_test, the_first_that_stands_ends_it)
{
    put("[2001:db8::1]:25", kind::listens);
    put("192.0.2.1:25", kind::listens);
    start({"[2001:db8::1]:25", "192.0.2.1:25"});
    EXPECT_EQ(calls, 0) << "never inside the call";
    world->run();
    ASSERT_TRUE(got && got->made);
    EXPECT_EQ(got->made->peer(), "[2001:db8::1]:25");
    EXPECT_THAT(world->connects(), ElementsAre("0 ms [2001:db8::1]:25"));
    expect_nothing_left(1);
}

TEST_F(connector_test, a_failure_starts_the_next_at_once)
{
    put("[2001:db8::1]:25", kind::unreachable);
    put("[2001:db8::2]:25", kind::refuses);
    put("192.0.2.1:25", kind::listens);
    start({"[2001:db8::1]:25", "[2001:db8::2]:25", "192.0.2.1:25"});
    world->run();
    ASSERT_TRUE(got && got->made);
    EXPECT_EQ(got->made->peer(), "192.0.2.1:25");
    EXPECT_EQ(took, 6ms);
    EXPECT_THAT(world->connects(),
                ElementsAre("0 ms [2001:db8::1]:25", "2 ms [2001:db8::2]:25", "4 ms 192.0.2.1:25"));
    EXPECT_EQ(got->failures.size(), 2u);
}

TEST_F(connector_test, silence_costs_a_head_start)
{
    put("[2001:db8::1]:25", kind::silent);
    put("192.0.2.1:25", kind::listens);
    start({"[2001:db8::1]:25", "192.0.2.1:25"});
    world->run();
    ASSERT_TRUE(got && got->made);
    EXPECT_EQ(took, 252ms);
    EXPECT_THAT(failures(), ElementsAre());
    expect_nothing_left(1);
}

// The slow one goes on while the next is tried, and may still win.
TEST_F(connector_test, attempts_overlap)
{
    put("[2001:db8::1]:25", kind::listens, 300ms);
    put("192.0.2.1:25", kind::listens, 400ms);
    start({"[2001:db8::1]:25", "192.0.2.1:25"});
    world->run();
    ASSERT_TRUE(got && got->made);
    EXPECT_EQ(got->made->peer(), "[2001:db8::1]:25");
    EXPECT_EQ(took, 300ms);
    EXPECT_EQ(world->connects().size(), 2u);
    expect_nothing_left(1);
}

TEST_F(connector_test, each_has_its_limit_and_waited_so_long)
{
    put("192.0.2.1:25", kind::silent);
    put("192.0.2.2:25", kind::silent);
    start({"192.0.2.1:25", "192.0.2.2:25"});
    world->run();
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->made);
    EXPECT_EQ(took, 30'250ms);
    const std::string timed_out = make_error_code(error::timed_out).message();
    EXPECT_THAT(failures(),
                ElementsAre("192.0.2.1:25 " + timed_out + " 30", "192.0.2.2:25 " + timed_out + " 30"));
    expect_nothing_left(0);
}

TEST_F(connector_test, all_together_have_a_limit)
{
    std::vector<std::string> addresses;
    for (int i = 1; i <= 6; ++i) {
        addresses.push_back("192.0.2." + std::to_string(i) + ":25");
        put(addresses.back(), kind::silent);
    }
    connect_limits limits;
    limits.head_start = 15s;
    start(addresses, limits);
    EXPECT_TRUE(world->run(2min, [this] { return calls > 0; }));
    ASSERT_TRUE(got);
    EXPECT_EQ(took, 60s);
    EXPECT_EQ(world->connects().size(), 4u) << "at 0, 15, 30 and 45 s";
    EXPECT_EQ(got->failures.size(), 4u);
    expect_nothing_left(0);
}

TEST_F(connector_test, cancelled)
{
    put("192.0.2.1:25", kind::silent);
    start({"192.0.2.1:25", "192.0.2.2:25"});
    world->run(100ms, [] { return false; });
    stop.emit(asio::cancellation_type::terminal);
    world->settle();
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->cancelled);
    EXPECT_FALSE(got->made);
    EXPECT_EQ(world->connects().size(), 1u);
    expect_nothing_left(0);
}

TEST_F(connector_test, nowhere_to_go)
{
    start({});
    EXPECT_EQ(calls, 0);
    world->run();
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->made || got->cancelled);
}

} // namespace
} // namespace postrider::net
