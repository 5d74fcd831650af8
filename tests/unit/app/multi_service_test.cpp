// SPDX-License-Identifier: MIT
// app/multi_service: order, names, failures, and what changes while services start and stop.

#include "unit/app/service_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace postrider::app {
namespace {

using test::diary;
using test::noted_service;
using test::service_stage;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

struct multi_service_in_order : testing::Test {
    std::shared_ptr<noted_service> put(const std::string& name)
    {
        return root.emplace<noted_service>(stage.notes, name);
    }
    diary& notes = stage.notes;
    diary taken() { return std::exchange(stage.notes, {}); }

    service_stage stage;
    application& root = stage.application;
};

TEST_F(multi_service_in_order, starts_from_the_first_and_stops_from_the_last)
{
    put("a");
    put("b");
    put("c");
    root.start();
    EXPECT_THAT(taken(), ElementsAre("prepare a", "prepare b", "prepare c", "start a", "start b", "start c"));
    stage.stop();
    EXPECT_THAT(taken(), ElementsAre("stop c", "stop b", "stop a"));
}

TEST_F(multi_service_in_order, begins_all_stops_before_any_is_awaited)
{
    put("a")->stop_time = std::chrono::seconds(2);
    put("b")->stop_time = std::chrono::seconds(1);
    put("c")->stop_time = std::chrono::seconds(3);
    root.start();
    taken();
    stage.stop();
    EXPECT_THAT(notes, ElementsAre("stop c", "stop b", "stop a", "stopped b", "stopped a", "stopped c"));
    EXPECT_LT(stage.world->elapsed(), std::chrono::seconds(4)) << "one after the other";
}

TEST_F(multi_service_in_order, names_the_service_that_kept_the_others_from_starting)
{
    const auto group = root.emplace<multi_service>("group");
    put("content")->when_started = [&] {
        const auto late = std::make_shared<noted_service>(notes, "late");
        late->when_started = [] { throw std::runtime_error("no"); };
        EXPECT_THROW(group->add(late), std::runtime_error);
    };
    put("culprit")->when_started = [] { throw std::runtime_error("no"); };
    EXPECT_THROW(root.start(), std::runtime_error);
    EXPECT_EQ(root.loop().engine().failed_start, "culprit");
    stage.run();
}

TEST_F(multi_service_in_order, nests)
{
    put("a");
    const auto group = root.emplace<multi_service>("group");
    group->emplace<noted_service>(notes, "g1");
    group->emplace<noted_service>(notes, "g2")->stop_time = std::chrono::seconds(1);
    put("b");
    root.start();
    EXPECT_THAT(taken(), ElementsAre("prepare a", "prepare g1", "prepare g2", "prepare b", "start a",
                                     "start g1", "start g2", "start b"));
    EXPECT_TRUE(group->running());
    stage.stop();
    EXPECT_THAT(taken(), ElementsAre("stop b", "stop g2", "stop g1", "stop a", "stopped g2"));
}

TEST_F(multi_service_in_order, a_failing_start_stops_those_that_had_started)
{
    put("a")->stop_time = std::chrono::seconds(1);
    put("b");
    put("c")->when_started = [] { throw std::runtime_error("no c"); };
    put("d");
    EXPECT_THAT([&] { root.start(); }, ThrowsMessage<std::runtime_error>("no c"));
    EXPECT_THAT(notes, ElementsAre("prepare a", "prepare b", "prepare c", "prepare d", "start a", "start b",
                                   "start c", "stop c", "stop d", "stop b", "stop a"));
    EXPECT_FALSE(root.running());
    stage.stop(); // waits for what is under way
    EXPECT_EQ(notes.back(), "stopped a");
}

TEST_F(multi_service_in_order, a_failing_first_step_stops_those_that_were_prepared)
{
    put("a");
    put("b")->stop_time = std::chrono::seconds(1);
    put("c")->when_prepared = [] { throw std::runtime_error("no port"); };
    put("d");
    EXPECT_THAT([&] { root.start(); }, ThrowsMessage<std::runtime_error>("no port"));
    EXPECT_THAT(notes, ElementsAre("prepare a", "prepare b", "prepare c", "stop b", "stop a"));
    stage.stop();
    EXPECT_EQ(notes.back(), "stopped b");
    taken();
    root.at("c"); // all can be tried again
    static_cast<noted_service&>(root.at("c")).when_prepared = nullptr;
    root.start();
    EXPECT_TRUE(root.running());
}

TEST_F(multi_service_in_order, a_failing_stop_keeps_no_other_from_stopping)
{
    put("a");
    put("b")->when_stopped = [] { throw std::runtime_error("no"); };
    const auto late = put("c");
    late->stop_time = std::chrono::seconds(1);
    late->fails_late = true;
    put("d")->when_stopped = [] { throw 17; }; // no std::exception
    root.start();
    taken();
    stage.stop();
    EXPECT_THAT(notes, ElementsAre("stop d", "stop c", "stop b", "stop a", "stopped c"));
    EXPECT_THAT(stage.log,
                ElementsAre("[d] unhandled exception: int", "[b] unhandled exception: std::runtime_error: no",
                            "[c] unhandled exception: std::runtime_error: too late"));
}

TEST_F(multi_service_in_order, undoing_a_start_goes_on_past_a_stop_that_fails)
{
    put("a");
    put("b")->when_stopped = [] { throw std::runtime_error("not either"); };
    put("c")->when_started = [] { throw std::runtime_error("no c"); };
    EXPECT_THAT([&] { root.start(); }, ThrowsMessage<std::runtime_error>("no c"));
    EXPECT_EQ(notes.back(), "stop a");
    EXPECT_THAT(stage.log, ElementsAre("[b] unhandled exception: std::runtime_error: not either"));
}

TEST_F(multi_service_in_order, finds_by_name)
{
    const auto a = put("a");
    put("");
    EXPECT_EQ(root.find("a"), a);
    EXPECT_EQ(&root.at("a"), a.get());
    EXPECT_EQ(root.find("nope"), nullptr);
    EXPECT_EQ(root.find(""), nullptr);
    put("b");
    EXPECT_THAT([&] { root.at("nope"); },
                ThrowsMessage<std::out_of_range>("main has no service of the name nope; there are: a, b"));
    EXPECT_EQ(root.services().size(), 3U);
    EXPECT_EQ(a->parent(), &root);
}

TEST_F(multi_service_in_order, a_name_is_given_once)
{
    put("a");
    EXPECT_THAT([&] { put("a"); },
                ThrowsMessage<std::invalid_argument>("main has a service of the name a already"));
    put("");
    put("");
    EXPECT_EQ(root.services().size(), 3U);
    const auto group = root.emplace<multi_service>("group");
    group->emplace<noted_service>(notes, "a"); // another parent
}

TEST_F(multi_service_in_order, a_service_has_one_parent_and_none_within_itself)
{
    const auto a = put("a");
    const auto group = root.emplace<multi_service>("group");
    EXPECT_THAT([&] { group->add(a); },
                ThrowsMessage<std::logic_error>("the service a belongs to main already"));
    const auto inner = group->emplace<multi_service>("inner");
    const auto lone = std::make_shared<multi_service>("lone");
    EXPECT_THAT([&] { lone->add(lone); }, ThrowsMessage<std::logic_error>(HasSubstr("to itself")));
    const auto outer = std::make_shared<multi_service>("outer");
    outer->add(lone);
    EXPECT_THAT([&] { lone->add(outer); }, ThrowsMessage<std::logic_error>(HasSubstr("to itself")));
    EXPECT_THROW(root.add(nullptr), std::invalid_argument);
}

TEST_F(multi_service_in_order, takes_no_service_that_was_started_elsewhere)
{
    const auto one = std::make_shared<noted_service>(notes, "one");
    one->start();
    EXPECT_THROW(root.add(one), std::logic_error);
    EXPECT_EQ(one->parent(), nullptr);
    EXPECT_THAT(root.services(), IsEmpty());
}

TEST_F(multi_service_in_order, a_late_one_starts_at_once)
{
    put("a");
    root.start();
    taken();
    EXPECT_TRUE(put("b")->running());
    stage.stop();
    EXPECT_THAT(notes, ElementsAre("prepare b", "start b", "stop b", "stop a"));
}

TEST_F(multi_service_in_order, a_late_one_that_cannot_start_is_not_taken)
{
    root.start();
    const auto one = std::make_shared<noted_service>(notes, "one");
    one->when_started = [] { throw std::runtime_error("no"); };
    one->stop_time = std::chrono::seconds(1);
    EXPECT_THROW(root.add(one), std::runtime_error);
    EXPECT_EQ(one->parent(), nullptr);
    EXPECT_EQ(root.find("one"), nullptr);
    stage.stop(); // also for what it undoes
    EXPECT_THAT(notes, ElementsAre("prepare one", "start one", "stop one", "stopped one"));
}

TEST_F(multi_service_in_order, remove_takes_out_at_once_and_stops)
{
    const auto a = put("a");
    a->stop_time = std::chrono::seconds(1);
    put("b");
    root.start();
    taken();
    auto gone = root.remove(*a);
    EXPECT_EQ(root.find("a"), nullptr);
    EXPECT_EQ(a->parent(), nullptr);
    EXPECT_EQ(&a->loop(), &root.loop()) << "it needs one until it has stopped";
    root.loop().spawn(std::move(gone));
    stage.run([&] { return notes.size() == 2; });
    EXPECT_THAT(notes, ElementsAre("stop a", "stopped a"));
    stage.world->settle();
    EXPECT_THROW(static_cast<void>(a->loop()), std::logic_error);
    root.add(a);
    EXPECT_TRUE(a->running());
    noted_service stranger(notes, "stranger");
    EXPECT_THAT([&] { static_cast<void>(root.remove(stranger)); },
                ThrowsMessage<std::invalid_argument>("the service stranger does not belong to main"));
}

TEST_F(multi_service_in_order, the_end_waits_for_one_that_was_taken_out)
{
    put("a")->stop_time = std::chrono::seconds(1);
    root.start();
    taken();
    static_cast<void>(root.remove(root.at("a"))); // and nobody waits for it, or holds it
    EXPECT_THAT(root.services(), IsEmpty());
    stage.stop();
    EXPECT_THAT(notes, ElementsAre("stop a", "stopped a"));
}

TEST_F(multi_service_in_order, remove_without_a_start_only_takes_out)
{
    const auto a = put("a");
    root.loop().spawn(root.remove(*a));
    stage.run();
    EXPECT_EQ(a->parent(), nullptr);
    EXPECT_THAT(notes, IsEmpty());
}

TEST_F(multi_service_in_order, services_outlive_their_parent)
{
    const auto one = std::make_shared<noted_service>(notes, "one");
    {
        multi_service parent;
        parent.add(one);
        EXPECT_EQ(one->parent(), &parent);
    }
    EXPECT_EQ(one->parent(), nullptr);
}

// ---- while they start ---------------------------------------------------------------------

TEST_F(multi_service_in_order, one_that_is_added_within_a_start_has_its_turn)
{
    put("a")->when_started = [&] { put("late"); };
    put("b");
    root.start();
    EXPECT_THAT(taken(),
                ElementsAre("prepare a", "prepare b", "start a", "start b", "prepare late", "start late"));
    stage.stop();
    EXPECT_THAT(taken(), ElementsAre("stop late", "stop b", "stop a"));
}

TEST_F(multi_service_in_order, one_that_is_added_within_a_first_step_has_both)
{
    put("a")->when_prepared = [&] { put("late"); };
    root.start();
    EXPECT_THAT(notes, ElementsAre("prepare a", "prepare late", "start a", "start late"));
}

TEST_F(multi_service_in_order, one_that_is_taken_out_within_a_start_is_not_reached)
{
    put("a")->when_started = [&] { root.loop().spawn(root.remove(root.at("b"))); };
    put("b");
    put("c");
    root.start();
    EXPECT_THAT(notes, ElementsAre("prepare a", "prepare b", "prepare c", "start a", "stop b", "start c"));
    stage.run();
}

TEST_F(multi_service_in_order, one_may_take_itself_out_within_its_start)
{
    const std::weak_ptr<noted_service> a = put("a");
    a.lock()->when_started = [&] { root.loop().spawn(root.remove(root.at("a"))); };
    put("b");
    root.start();
    EXPECT_THAT(notes, ElementsAre("prepare a", "prepare b", "start a", "stop a", "start b"));
    EXPECT_EQ(root.services().size(), 1U);
    stage.run();
    EXPECT_TRUE(a.expired());
}

TEST_F(multi_service_in_order, one_cannot_be_taken_out_within_its_first_step)
{
    put("a")->when_prepared = [&] { static_cast<void>(root.remove(root.at("a"))); };
    EXPECT_THROW(root.start(), std::logic_error);
    EXPECT_NE(root.find("a"), nullptr);
}

TEST_F(multi_service_in_order, a_stop_of_all_within_a_start_reaches_no_further)
{
    put("a")->when_started = [&] { root.loop().spawn(root.stop()); };
    put("b");
    root.start();
    EXPECT_FALSE(root.running());
    EXPECT_THAT(notes, ElementsAre("prepare a", "prepare b", "start a", "stop b", "stop a"));
    stage.run();
}

TEST_F(multi_service_in_order, a_stop_of_all_within_a_late_start_includes_the_late_one)
{
    root.start();
    for (const bool early : {true, false}) {
        taken();
        const auto late = std::make_shared<noted_service>(notes, early ? "early" : "late");
        (early ? late->when_prepared : late->when_started) = [&] { root.loop().spawn(root.stop()); };
        late->stop_time = std::chrono::seconds(1);
        root.add(late);
        EXPECT_FALSE(late->running());
        stage.run();
        EXPECT_EQ(notes.back(), "stopped " + late->name());
        EXPECT_FALSE(root.running());
        late->when_prepared = late->when_started = nullptr;
        late->stop_time = std::chrono::seconds(0);
        root.start();
    }
}

// ---- while they stop ----------------------------------------------------------------------

TEST_F(multi_service_in_order, one_may_be_taken_out_within_the_stop_of_another)
{
    put("a");
    put("b");
    put("c")->when_stopped = [&] { root.loop().spawn(root.remove(root.at("a"))); };
    root.start();
    taken();
    stage.stop();
    EXPECT_THAT(notes, ElementsAre("stop c", "stop a", "stop b"));
    EXPECT_EQ(root.services().size(), 2U);
}

TEST_F(multi_service_in_order, one_may_take_itself_out_within_its_stop)
{
    const std::weak_ptr<noted_service> a = put("a");
    a.lock()->when_stopped = [&] { root.loop().spawn(root.remove(root.at("a"))); };
    a.lock()->stop_time = std::chrono::seconds(1);
    root.start();
    taken();
    stage.stop();
    EXPECT_THAT(notes, ElementsAre("stop a", "stopped a"));
    EXPECT_THAT(root.services(), IsEmpty());
    stage.world->settle();
    EXPECT_TRUE(a.expired());
}

TEST_F(multi_service_in_order, one_that_is_added_within_a_stop_is_not_started)
{
    put("a")->when_stopped = [&] { put("late"); };
    root.start();
    taken();
    stage.stop();
    EXPECT_THAT(taken(), ElementsAre("stop a"));
    root.start();
    EXPECT_THAT(taken(), ElementsAre("prepare a", "prepare late", "start a", "start late"));
    static_cast<noted_service&>(root.at("a")).when_stopped = nullptr;
}

TEST_F(multi_service_in_order, all_may_be_told_to_stop_again_within_a_stop)
{
    put("a");
    put("b")->when_stopped = [&] {
        root.loop().stop();
        root.loop().spawn(root.stop());
    };
    root.start();
    taken();
    stage.stop();
    stage.run();
    EXPECT_THAT(notes, ElementsAre("stop b", "stop a"));
    EXPECT_THAT(stage.log, IsEmpty());
}

} // namespace
} // namespace postrider::app
