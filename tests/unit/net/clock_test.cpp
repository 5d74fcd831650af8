// SPDX-License-Identifier: MIT
// unit/net/clock: deadlines in virtual time and in real time, and the watchdog on top of them.
#include "net/clock.hpp"

#include "net/watchdog.hpp"
#include "support/sim_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace postrider::net {
namespace {

using namespace std::chrono_literals;

class clock_test : public testing::Test {
protected:
    void wait(time_point when, const std::string& name)
    {
        timers.wait_until(when, context.get_executor(),
                          [this, name](error_code ec) { order += name + (ec ? "!" : "") + " "; });
    }

    void wait(time_point when, const std::string& name, asio::cancellation_signal& stop)
    {
        auto done = [this, name](error_code ec) {
            order += name + (ec == asio::error::operation_aborted ? "! " : " ");
        };
        timers.wait_until(when, context.get_executor(), asio::bind_cancellation_slot(stop.slot(), done));
    }

    void poll()
    {
        context.restart();
        context.poll();
    }

    asio::io_context context;
    timer_service& timers = asio::use_service<timer_service>(context);
    std::string order;
};

TEST_F(clock_test, virtual_time_moves_from_deadline_to_deadline)
{
    timers.make_virtual();
    const time_point began = timers.now();
    wait(began + 3h, "late");
    wait(began + 1h, "early");
    wait(began + 1h, "early too");
    poll();
    EXPECT_EQ(order, "");
    EXPECT_TRUE(timers.advance());
    EXPECT_EQ(timers.now(), began + 1h);
    EXPECT_EQ(order, "") << "never inside the call";
    poll();
    EXPECT_EQ(order, "early early too ");
    EXPECT_FALSE(timers.advance(began + 2h));
    EXPECT_EQ(timers.now(), began + 2h);
    EXPECT_TRUE(timers.advance());
    EXPECT_FALSE(timers.advance());
    poll();
    EXPECT_EQ(timers.now(), began + 3h);
    EXPECT_EQ(order, "early early too late ");
}

TEST_F(clock_test, a_deadline_that_has_passed_is_due_at_once)
{
    timers.make_virtual();
    const time_point began = timers.now();
    wait(began - 1h, "past");
    EXPECT_TRUE(timers.advance());
    EXPECT_EQ(timers.now(), began) << "a clock only goes forward";
    poll();
    EXPECT_EQ(order, "past ");
}

TEST_F(clock_test, a_wait_can_be_cancelled_once)
{
    timers.make_virtual();
    asio::cancellation_signal stop;
    wait(timers.now() + 1h, "a", stop);
    stop.emit(asio::cancellation_type::partial);
    stop.emit(asio::cancellation_type::terminal);
    EXPECT_EQ(order, "");
    poll();
    EXPECT_EQ(order, "a! ");
    EXPECT_FALSE(timers.advance());
    stop.emit(asio::cancellation_type::terminal);
    poll();
    EXPECT_EQ(order, "a! ");
}

TEST_F(clock_test, real_time)
{
    const time_point began = timers.now();
    wait(began + 30ms, "second");
    wait(began + 10ms, "first"); // earlier than what the system's timer is set for
    asio::cancellation_signal stop;
    wait(began + 1h, "never", stop);
    timers.wait_until(began + 40ms, context.get_executor(),
                      [&](error_code) { stop.emit(asio::cancellation_type::terminal); });
    context.run(); // ends, as nothing is left waiting
    EXPECT_EQ(order, "first second never! ");
    EXPECT_GE(timers.now() - began, 40ms);
}

TEST_F(clock_test, several_threads_may_wait)
{
    constexpr int each = 500;
    std::atomic<int> done = 0;
    const time_point soon = timers.now() + 1ms;
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < each; ++i)
                timers.wait_until(soon + (i % 7) * 1ms + t * 1us, context.get_executor(),
                                  [&](error_code) { ++done; });
        });
    for (std::thread& t : threads)
        t.join();
    std::thread helper([&] { context.run(); });
    context.run();
    helper.join();
    EXPECT_EQ(done, 2 * each);
}

TEST(clock_at_the_end, a_signal_may_outlive_the_clock)
{
    asio::cancellation_signal stop;
    {
        asio::io_context context;
        auto& timers = asio::use_service<timer_service>(context);
        auto never = [](error_code) { FAIL() << "called after the end"; };
        timers.wait_until(timers.now() + 1h, context.get_executor(),
                          asio::bind_cancellation_slot(stop.slot(), never));
    }
    stop.emit(asio::cancellation_type::terminal);
}

class watchdog_test : public testing::Test {
protected:
    asio::io_context context;
    std::shared_ptr<test::sim_world> world = std::make_shared<test::sim_world>(context, 1);
    int barks = 0;
    time_point barked;
};

TEST_F(watchdog_test, barks_once_when_its_last_deadline_has_passed)
{
    watchdog dog(world, [this] {
        ++barks;
        barked = world->now();
    });
    const time_point began = world->now();
    dog.watch(began + 10s);
    for (int s = 1; s <= 20; ++s)
        world->at(began + s * 1s, [&, s] { dog.watch(began + s * 1s + 10s); });
    world->run();
    EXPECT_EQ(barks, 1);
    EXPECT_EQ(barked, began + 30s);
}

TEST_F(watchdog_test, an_earlier_deadline_counts_from_now_on)
{
    watchdog dog(world, [this] {
        ++barks;
        barked = world->now();
    });
    const time_point began = world->now();
    dog.watch(began + 1h);
    dog.watch(began + 1s);
    EXPECT_EQ(world->open_waits(), 2u) << "the old wait ends with the next turn of the loop";
    world->run();
    EXPECT_EQ(barks, 1);
    EXPECT_EQ(barked, began + 1s);
}

TEST_F(watchdog_test, at_rest_nothing_is_left_waiting)
{
    watchdog dog(world, [this] { ++barks; });
    const time_point began = world->now();
    dog.watch(began + 1s);
    dog.rest();
    world->settle();
    EXPECT_EQ(world->open_waits(), 0u);
    dog.watch(began + 2s);
    world->run();
    EXPECT_EQ(barks, 1);
}

TEST_F(watchdog_test, one_that_is_gone_does_not_bark)
{
    {
        watchdog dog(world, [this] { ++barks; });
        dog.watch(world->now() + 1s);
    }
    world->run();
    EXPECT_EQ(barks, 0);
    EXPECT_EQ(world->open_waits(), 0u);
}

TEST_F(watchdog_test, may_be_ended_by_its_own_bark)
{
    std::optional<watchdog> dog;
    const auto kept = std::make_shared<int>(0);
    dog.emplace(world, [this, &dog, kept] {
        dog.reset();
        barks += 1 + *kept; // what was captured is still there
    });
    dog->watch(world->now() + 1s);
    world->run();
    EXPECT_EQ(barks, 1);
}

} // namespace
} // namespace postrider::net
