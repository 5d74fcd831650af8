// SPDX-License-Identifier: MIT
// app/gate: all go on, once, or are called off.

#include "app/gate.hpp"

#include "net/use.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace postrider::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct gate_and_those_who_wait : testing::Test {
    auto note(std::string who)
    {
        return [this, who = std::move(who)](std::exception_ptr thrown) {
            notes.push_back(who + (thrown ? " called off" : ""));
        };
    }

    void settle()
    {
        context.restart();
        context.poll();
    }

    asio::io_context context;
    std::optional<gate> way{std::in_place};
    std::vector<std::string> notes;
};

TEST_F(gate_and_those_who_wait, all_go_on_when_it_opens)
{
    asio::co_spawn(context, way->wait(), note("a"));
    asio::co_spawn(context, way->wait(), note("b"));
    settle();
    EXPECT_THAT(notes, IsEmpty());
    EXPECT_FALSE(way->is_open());
    way->open();
    EXPECT_TRUE(way->is_open());
    EXPECT_THAT(notes, IsEmpty()) << "from the loop, not from open()";
    way->open();
    settle();
    EXPECT_THAT(notes, ElementsAre("a", "b"));
    asio::co_spawn(context, way->wait(), note("late"));
    settle();
    EXPECT_EQ(notes.back(), "late");
}

TEST_F(gate_and_those_who_wait, one_is_called_off)
{
    asio::cancellation_signal enough;
    asio::co_spawn(context, way->wait(), asio::bind_cancellation_slot(enough.slot(), note("a")));
    asio::co_spawn(context, way->wait(), note("b"));
    settle();
    enough.emit(asio::cancellation_type::terminal);
    enough.emit(asio::cancellation_type::terminal);
    settle();
    EXPECT_THAT(notes, ElementsAre("a called off"));
    way->open();
    settle();
    EXPECT_THAT(notes, ElementsAre("a called off", "b"));
}

TEST_F(gate_and_those_who_wait, opening_comes_before_calling_off)
{
    asio::cancellation_signal enough;
    asio::co_spawn(context, way->wait(), asio::bind_cancellation_slot(enough.slot(), note("a")));
    settle();
    way->open();
    enough.emit(asio::cancellation_type::terminal);
    settle();
    EXPECT_EQ(notes.size(), 1U);
}

TEST_F(gate_and_those_who_wait, it_may_be_gone_before_its_coroutines)
{
    asio::cancellation_signal enough;
    asio::co_spawn(context, way->wait(), asio::bind_cancellation_slot(enough.slot(), note("a")));
    settle();
    way->open();
    way.reset();
    settle();
    EXPECT_THAT(notes, ElementsAre("a"));
}

} // namespace
} // namespace postrider::app
