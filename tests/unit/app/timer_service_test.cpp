// SPDX-License-Identifier: MIT
// app/timer_service: its steps, in virtual time.

#include "postrider/app/timer_service.hpp"

#include "unit/app/service_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace postrider::app {
namespace {

using test::service_stage;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

struct timer_service_in_steps : testing::Test {
    using seconds = std::chrono::seconds;

    void note() { at.push_back(std::chrono::duration_cast<seconds>(stage.world->elapsed()).count()); }

    template <class What>
    std::shared_ptr<timer_service> start(std::chrono::nanoseconds step, What what)
    {
        auto timer = stage.application.emplace<timer_service>(step, std::move(what), "ticks");
        stage.application.start();
        return timer;
    }
    void run_for(seconds time)
    {
        bool over = false;
        stage.application.loop().call_later(time, [&over] { over = true; });
        stage.run([&over] { return over; });
    }

    asio::awaitable<void> take(seconds time)
    {
        note();
        co_await stage.application.loop().async_sleep(time, net::use);
        ended = true;
    }

    service_stage stage;
    std::vector<std::int64_t> at; // the times of the calls
    bool ended = false;
};

TEST_F(timer_service_in_steps, calls_at_once_and_then_every_step)
{
    start(10s, [this] { note(); });
    EXPECT_THAT(at, IsEmpty()) << "calls come from the loop";
    run_for(35s);
    EXPECT_THAT(at, ElementsAre(0, 10, 20, 30));
    stage.stop();
    run_for(100s);
    EXPECT_EQ(at.size(), 4U);
}

TEST_F(timer_service_in_steps, leaves_out_the_steps_that_a_long_call_covered)
{
    start(10s, [this] { return take(at.empty() ? 25s : 1s); });
    run_for(45s);
    EXPECT_THAT(at, ElementsAre(0, 30, 40));
    stage.stop();
}

TEST_F(timer_service_in_steps, a_call_that_ends_with_a_step_covers_it)
{
    start(10s, [this] { return take(10s); });
    run_for(45s);
    EXPECT_THAT(at, ElementsAre(0, 20, 40));
    stage.stop();
}

TEST_F(timer_service_in_steps, a_failing_call_is_logged_and_it_goes_on)
{
    start(10s, [this] {
        note();
        throw std::runtime_error("no disk");
    });
    run_for(25s);
    EXPECT_THAT(at, ElementsAre(0, 10, 20));
    EXPECT_THAT(stage.log, ElementsAre("[ticks] unhandled exception: std::runtime_error: no disk",
                                       "[ticks] unhandled exception: std::runtime_error: no disk",
                                       "[ticks] unhandled exception: std::runtime_error: no disk"));
    EXPECT_EQ(stage.application.loop().exit_status(), 70);
    stage.stop();
}

asio::awaitable<void> sleep_and_fail(loop& where)
{
    co_await where.async_sleep(1s, net::use);
    throw std::runtime_error("no answer");
}

TEST_F(timer_service_in_steps, a_coroutine_that_fails_is_no_different)
{
    start(10s, [this] {
        note();
        return sleep_and_fail(stage.application.loop());
    });
    run_for(15s);
    EXPECT_THAT(at, ElementsAre(0, 10));
    EXPECT_EQ(stage.log.size(), 2U);
    stage.stop();
}

TEST_F(timer_service_in_steps, may_end_with_the_first_failure)
{
    for (const bool later : {false, true}) {
        at.clear();
        auto timer = std::make_shared<timer_service>(10s, [this, later]() -> eventually<void> {
            note();
            if (at.size() < 2)
                return {};
            if (later)
                return sleep_and_fail(stage.application.loop());
            throw std::runtime_error("no disk");
        });
        timer->end_at_failure();
        stage.application.add(timer);
        if (!stage.application.running())
            stage.application.start();
        run_for(100s);
        EXPECT_EQ(at.size(), 2U);
        EXPECT_TRUE(timer->running()) << "as a service";
    }
    stage.stop();
}

TEST_F(timer_service_in_steps, stop_waits_for_the_call_under_way)
{
    start(10s, [this] { return take(5s); });
    run_for(12s);
    EXPECT_EQ(at.size(), 2U);
    ended = false;
    stage.stop();
    EXPECT_TRUE(ended);
    EXPECT_EQ(stage.world->elapsed(), 15s);
    run_for(100s);
    EXPECT_EQ(at.size(), 2U);
}

asio::awaitable<void> stop_and_note(service& what, const bool& ended, bool& in_time)
{
    co_await what.stop();
    in_time = ended;
}

TEST_F(timer_service_in_steps, a_call_may_stop_its_timer_which_waits_for_it)
{
    std::shared_ptr<timer_service> timer;
    bool in_time = false;
    timer = start(10s, [&, this]() -> eventually<void> {
        stage.application.loop().spawn(stop_and_note(*timer, ended, in_time));
        return take(3s);
    });
    run_for(100s);
    EXPECT_THAT(at, ElementsAre(0));
    EXPECT_TRUE(in_time);
    EXPECT_FALSE(timer->running());
}

TEST_F(timer_service_in_steps, a_call_may_stop_the_loop)
{
    start(10s, [this] {
        note();
        stage.application.loop().stop();
    });
    stage.run();
    EXPECT_THAT(at, ElementsAre(0));
    EXPECT_TRUE(stage.application.loop().engine().ended());
}

TEST_F(timer_service_in_steps, starts_again_where_it_is_started_again)
{
    start(10s, [this] { note(); });
    run_for(14s);
    stage.stop();
    stage.application.start();
    run_for(12s);
    EXPECT_THAT(at, ElementsAre(0, 10, 14, 24));
    stage.stop();
}

TEST_F(timer_service_in_steps, leaves_nothing_on_the_loop)
{
    start(10s, [this] { note(); });
    run_for(5s);
    stage.stop();
    stage.run();
    EXPECT_EQ(stage.world->elapsed(), 5s);
    EXPECT_EQ(stage.world->open_waits(), 0U);
}

TEST_F(timer_service_in_steps, that_is_destroyed_while_it_runs_calls_no_more)
{
    {
        const auto timer = start(10s, [this] { note(); });
        stage.application.loop().spawn(stage.application.remove(*timer));
    }
    run_for(30s);
    EXPECT_THAT(at, IsEmpty());
}

TEST_F(timer_service_in_steps, outlives_its_application)
{
    std::shared_ptr<timer_service> timer;
    {
        application guest("guest", engine_in(stage.world));
        timer = guest.emplace<timer_service>(10s, [this] { return take(3s); });
        guest.start();
        stage.run([this] { return !at.empty(); });
        EXPECT_EQ(at.size(), 1U);
    }
    stage.run();
    EXPECT_EQ(at.size(), 1U);
}

TEST(timer_service, has_a_step_above_0)
{
    const auto make = [](std::chrono::nanoseconds step) { timer_service timer(step, [] {}); };
    EXPECT_THROW(make(0s), std::invalid_argument);
    EXPECT_THROW(make(-1s), std::invalid_argument);
    EXPECT_NO_THROW(make(1ns));
}

TEST(timer_service, longest_step_is_no_overflow)
{
    service_stage stage;
    int calls = 0;
    stage.application.emplace<timer_service>(std::chrono::nanoseconds::max(), [&] { ++calls; });
    stage.application.start();
    stage.run();
    EXPECT_EQ(calls, 1);
    stage.stop();
}

} // namespace
} // namespace postrider::app
