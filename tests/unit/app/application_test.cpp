// SPDX-License-Identifier: MIT
// app/application: the services stop before the loop ends, whoever asks for it, and from where.

#include "postrider/app/application.hpp"

#include "unit/app/service_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace postrider::app {
namespace {

using test::diary;
using test::noted_service;
using test::service_stage;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

TEST(application, has_a_name_and_somebody_to_run_as)
{
    application it("mail");
    EXPECT_EQ(it.name(), "mail");
    EXPECT_EQ(it.user(), "");
    it.run_as("postrider", "mail");
    EXPECT_EQ(it.user(), "postrider");
    EXPECT_EQ(it.group(), "mail");
}

TEST(application, stops_its_services_before_the_loop_ends)
{
    service_stage stage;
    stage.application.emplace<noted_service>(stage.notes, "a")->stop_time = 2s;
    stage.application.emplace<noted_service>(stage.notes, "b");
    stage.application.start();
    stage.application.loop().stop();
    stage.run();
    EXPECT_TRUE(stage.application.loop().engine().ended());
    EXPECT_FALSE(stage.application.running());
    EXPECT_EQ(stage.world->elapsed(), 2s);
    EXPECT_THAT(stage.notes,
                ElementsAre("prepare a", "prepare b", "start a", "start b", "stop b", "stop a", "stopped a"));
}

TEST(application, work_of_the_loop_goes_on_until_its_services_have_stopped)
{
    service_stage stage;
    stage.application.emplace<noted_service>(stage.notes, "a")->stop_time = 2s;
    stage.application.start();
    stage.application.loop().call_later(1s, [&] { stage.notes.push_back("call"); });
    stage.application.loop().call_later(3s, [&] { stage.notes.push_back("never"); });
    stage.application.loop().stop();
    stage.run();
    EXPECT_THAT(stage.notes, ElementsAre("prepare a", "start a", "stop a", "call", "stopped a"));
}

TEST(application, may_be_told_to_stop_within_a_start)
{
    service_stage stage;
    for (const bool first : {true, false}) {
        const auto one = stage.application.emplace<noted_service>(stage.notes, first ? "a" : "b");
        (first ? one->when_prepared : one->when_started) = [&] { stage.application.loop().stop(); };
    }
    stage.application.start();
    EXPECT_TRUE(stage.application.running());
    stage.run();
    EXPECT_FALSE(stage.application.running());
    EXPECT_THAT(stage.notes, ElementsAre("prepare a", "prepare b", "start a", "start b", "stop b", "stop a"));
}

TEST(application, ends_after_a_start_that_failed)
{
    service_stage stage;
    stage.application.emplace<noted_service>(stage.notes, "a")->stop_time = 2s;
    stage.application.emplace<noted_service>(stage.notes, "b")->when_started = [] {
        throw std::runtime_error("no");
    };
    EXPECT_THROW(stage.application.start(), std::runtime_error);
    stage.application.loop().stop(70);
    stage.run();
    EXPECT_EQ(stage.notes.back(), "stopped a");
    EXPECT_TRUE(stage.application.loop().engine().ended());
    EXPECT_EQ(stage.application.loop().exit_status(), 70);
}

TEST(application, without_services_ends_at_once)
{
    application it("nothing");
    it.start();
    std::thread other([&] { it.loop().stop(); });
    EXPECT_EQ(it.loop().run(), 0);
    other.join();
    EXPECT_FALSE(it.running());
}

TEST(application, that_was_never_started_ends_too)
{
    application it("nothing");
    it.loop().stop(64);
    EXPECT_EQ(it.loop().run(), 64);
}

TEST(application, waits_for_its_services_on_a_loop_of_its_own)
{
    diary notes;
    application it("real");
    it.emplace<noted_service>(notes, "a")->when_stopped = [&] { it.loop().stop(5); };
    it.start();
    it.loop().call_later(1ms, [&] { it.loop().stop(); });
    EXPECT_EQ(it.loop().run(), 5);
    EXPECT_THAT(notes, ElementsAre("prepare a", "start a", "stop a"));
}

TEST(application, on_the_programs_loop_stops_and_starts_again)
{
    service_stage stage;
    application it("guest", stage.context.get_executor());
    it.emplace<noted_service>(stage.notes, "a");
    for (int i = 0; i < 2; ++i) {
        it.start();
        stage.stop(it);
    }
    EXPECT_EQ(stage.notes.size(), 6U);
    EXPECT_FALSE(it.loop().stopping());
}

TEST(application, lets_go_of_its_services_from_the_last_and_before_its_loop)
{
    class witness : public service {
    public:
        witness(diary& notes, std::string name, std::weak_ptr<loop_engine> engine)
            : service(std::move(name)), notes_(notes), engine_(std::move(engine))
        {
        }
        ~witness() override { notes_.push_back(name() + (engine_.expired() ? " late" : " in time")); }

    private:
        diary& notes_;
        std::weak_ptr<loop_engine> engine_;
    };
    diary notes;
    std::shared_ptr<service> survivor;
    {
        application it("short");
        const auto engine = it.loop().engine().weak_from_this();
        it.emplace<witness>(notes, "a", engine);
        survivor = it.emplace<witness>(notes, "survivor", engine);
        it.emplace<witness>(notes, "b", engine);
        it.start();
    }
    EXPECT_THAT(notes, ElementsAre("b in time", "a in time"));
    EXPECT_EQ(survivor->parent(), nullptr);
    EXPECT_THROW(static_cast<void>(survivor->loop()), std::logic_error);
}

TEST(application, that_is_destroyed_while_it_stops_is_not_touched_again)
{
    service_stage stage;
    std::optional<application> it(std::in_place, "guest", engine_in(stage.world));
    auto slow = it->emplace<noted_service>(stage.notes, "slow");
    slow->stop_time = 1s;
    it->start();
    it->loop().stop();
    stage.world->settle();
    EXPECT_EQ(stage.notes.back(), "stop slow");
    slow.reset();
    it.reset();
    stage.run();
    EXPECT_EQ(stage.notes.back(), "stopped slow");
}

} // namespace
} // namespace postrider::app
