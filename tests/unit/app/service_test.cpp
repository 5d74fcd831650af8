// SPDX-License-Identifier: MIT
// app/service: the stages of one service, with a loop above it and without.

#include "unit/app/service_stage.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

namespace postrider::app {
namespace {

using test::diary;
using test::noted_service;
using test::service_stage;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(service, starts_in_two_steps_and_stops)
{
    service_stage stage;
    const auto one = stage.application.emplace<noted_service>(stage.notes, "one");
    EXPECT_FALSE(one->running());
    one->when_started = [&] { EXPECT_FALSE(one->running()); };
    one->when_stopped = [&] { EXPECT_FALSE(one->running()); };
    stage.application.start();
    EXPECT_TRUE(one->running());
    stage.stop();
    EXPECT_FALSE(one->running());
    EXPECT_EQ(stage.notes, (diary{"prepare one", "start one", "stop one"}));
}

TEST(service, has_each_step_done_once)
{
    service_stage stage;
    noted_service one(stage.notes, "one");
    one.privileged_start();
    EXPECT_FALSE(one.running());
    one.start();
    EXPECT_EQ(stage.notes, (diary{"prepare one", "start one"}));
    EXPECT_THAT([&] { one.start(); }, ThrowsMessage<std::logic_error>(HasSubstr("one has been started")));
    EXPECT_THAT([&] { one.privileged_start(); }, ThrowsMessage<std::logic_error>(HasSubstr("already")));
    EXPECT_EQ(stage.notes.size(), 2U);
    EXPECT_TRUE(one.running());
}

TEST(service, starts_again_after_it_has_stopped)
{
    service_stage stage;
    noted_service one(stage.notes, "one");
    for (int i = 0; i < 2; ++i) {
        one.start();
        stage.stop(one);
    }
    EXPECT_EQ(stage.notes,
              (diary{"prepare one", "start one", "stop one", "prepare one", "start one", "stop one"}));
}

TEST(service, stopping_what_was_not_started_does_nothing)
{
    service_stage stage;
    noted_service one(stage.notes, "one");
    stage.stop(one);
    EXPECT_TRUE(stage.notes.empty());
}

TEST(service, that_was_only_prepared_is_stopped)
{
    service_stage stage;
    noted_service one(stage.notes, "one");
    one.privileged_start();
    stage.stop(one);
    EXPECT_EQ(stage.notes, (diary{"prepare one", "stop one"}));
}

TEST(service, stop_begins_at_the_call_and_completes_at_the_end)
{
    service_stage stage;
    const auto one = stage.application.emplace<noted_service>(stage.notes, "one");
    one->stop_time = std::chrono::seconds(3);
    stage.application.start();
    auto stop = one->stop();
    EXPECT_EQ(stage.notes.back(), "stop one");
    EXPECT_THAT([&] { one->start(); }, ThrowsMessage<std::logic_error>(HasSubstr("still stopping")));
    stage.application.loop().spawn(std::move(stop));
    stage.run();
    EXPECT_EQ(stage.notes.back(), "stopped one");
    EXPECT_GE(stage.world->elapsed(), std::chrono::seconds(3));
}

TEST(service, a_second_stop_waits_for_the_first)
{
    service_stage stage;
    const auto one = stage.application.emplace<noted_service>(stage.notes, "one");
    one->stop_time = std::chrono::seconds(3);
    stage.application.start();
    const auto note_end = [&](std::string who) {
        return [&stage, who = std::move(who)](std::exception_ptr) { stage.notes.push_back(who); };
    };
    asio::co_spawn(stage.context, one->stop(), note_end("first"));
    asio::co_spawn(stage.context, one->stop(), note_end("second"));
    stage.run();
    EXPECT_EQ(stage.notes, (diary{"prepare one", "start one", "stop one", "stopped one", "first", "second"}));
}

TEST(service, goes_on_stopping_when_nobody_waits_any_more)
{
    service_stage stage;
    const auto one = stage.application.emplace<noted_service>(stage.notes, "one");
    one->stop_time = std::chrono::seconds(3);
    stage.application.start();
    asio::cancellation_signal enough;
    bool cancelled = false;
    asio::co_spawn(stage.context, one->stop(),
                   asio::bind_cancellation_slot(
                       enough.slot(), [&](std::exception_ptr thrown) { cancelled = thrown != nullptr; }));
    stage.world->settle();
    enough.emit(asio::cancellation_type::terminal);
    stage.world->settle();
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(stage.notes.back(), "stop one");
    stage.run();
    EXPECT_EQ(stage.notes.back(), "stopped one");
}

TEST(service, stop_within_its_start_is_carried_out_after_it)
{
    service_stage stage;
    const auto one = stage.application.emplace<noted_service>(stage.notes, "one");
    one->when_started = [&] {
        stage.application.loop().spawn(one->stop());
        stage.notes.push_back("still in start");
    };
    stage.application.start();
    EXPECT_FALSE(one->running());
    EXPECT_TRUE(stage.application.running());
    EXPECT_EQ(stage.notes, (diary{"prepare one", "start one", "still in start", "stop one"}));
    stage.run();
}

TEST(service, stop_within_its_first_step_is_an_error)
{
    service_stage stage;
    noted_service one(stage.notes, "one");
    one.when_prepared = [&] { static_cast<void>(one.stop()); };
    EXPECT_THAT([&] { one.start(); }, ThrowsMessage<std::logic_error>(HasSubstr("loop().stop()")));
    one.when_prepared = nullptr;
    one.start();
    EXPECT_TRUE(one.running());
}

TEST(service, a_first_step_that_throws_leaves_nothing_to_stop)
{
    service_stage stage;
    noted_service one(stage.notes, "one");
    one.when_prepared = [] { throw std::runtime_error("no port"); };
    EXPECT_THAT([&] { one.start(); }, ThrowsMessage<std::runtime_error>("no port"));
    stage.stop(one);
    EXPECT_EQ(stage.notes, (diary{"prepare one"}));
}

TEST(service, a_second_step_that_throws_undoes_the_first)
{
    service_stage stage;
    noted_service one(stage.notes, "one");
    one.when_started = [] { throw std::runtime_error("no database"); };
    EXPECT_THAT([&] { one.start(); }, ThrowsMessage<std::runtime_error>("no database"));
    EXPECT_FALSE(one.running());
    EXPECT_EQ(stage.notes, (diary{"prepare one", "start one", "stop one"}));
}

TEST(service, failures_to_stop_are_logged_under_its_name)
{
    service_stage stage;
    const auto at_once = stage.application.emplace<noted_service>(stage.notes, "at once");
    const auto later = stage.application.emplace<noted_service>(stage.notes, "later");
    at_once->when_stopped = [] { throw std::runtime_error("not now"); };
    later->stop_time = std::chrono::seconds(1);
    later->fails_late = true;
    stage.application.start();
    stage.stop();
    EXPECT_FALSE(at_once->running());
    EXPECT_THAT(stage.log, ElementsAre("[at once] unhandled exception: std::runtime_error: not now",
                                       "[later] unhandled exception: std::runtime_error: too late"));
    EXPECT_EQ(stage.application.loop().exit_status(), 70);
}

TEST(service, knows_the_loop_of_its_application)
{
    service_stage stage;
    const auto group = stage.application.emplace<multi_service>("group");
    const auto one = group->emplace<noted_service>(stage.notes, "one");
    EXPECT_EQ(&one->loop(), &stage.application.loop());
    noted_service alone(stage.notes, "alone");
    EXPECT_THAT([&] { static_cast<void>(alone.loop()); },
                ThrowsMessage<std::logic_error>(HasSubstr("alone has no loop")));
}

TEST(service, logs_under_its_name_or_that_of_its_class)
{
    service_stage stage;
    noted_service named(stage.notes, "one");
    noted_service nameless(stage.notes, "");
    EXPECT_EQ(named.log_prefix(), "one");
    EXPECT_EQ(nameless.log_prefix(), "noted_service");
    nameless.log().info("here");
    EXPECT_THAT(stage.log, ElementsAre("[noted_service] here"));
}

TEST(service, is_renamed_only_while_it_is_nobodys)
{
    service_stage stage;
    const auto one = std::make_shared<noted_service>(stage.notes, "one");
    one->set_name("other");
    stage.application.add(one);
    EXPECT_THAT([&] { one->set_name("third"); },
                ThrowsMessage<std::logic_error>(HasSubstr("other cannot be renamed")));
    EXPECT_EQ(one->name(), "other");
}

// A service without an application has no loop: who awaits its stop lends it theirs.
class slow_service : public service {
public:
    explicit slow_service(bool& over) : over_(over) {}

private:
    eventually<void> on_stop() override { return take_time(over_); }
    static asio::awaitable<void> take_time(bool& over)
    {
        co_await asio::post(co_await asio::this_coro::executor, net::use);
        over = true;
    }
    bool& over_;
};

TEST(service, without_a_loop_stops_where_it_is_awaited)
{
    service_stage stage;
    bool over = false;
    slow_service one(over);
    one.start();
    stage.stop(one);
    EXPECT_TRUE(over);
}

TEST(service, that_is_destroyed_while_it_stops_is_not_touched_again)
{
    service_stage stage;
    bool over = false, waited = false;
    std::optional<slow_service> one(std::in_place, over);
    one->start();
    asio::co_spawn(stage.context, one->stop(), [&](std::exception_ptr) { waited = true; });
    one.reset();
    stage.run();
    EXPECT_TRUE(over);
    EXPECT_TRUE(waited);
}

} // namespace
} // namespace postrider::app
