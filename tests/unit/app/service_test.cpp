// SPDX-License-Identifier: MIT
// app/service: the stages of one service, with a loop above it and without.

#include "unit/app/service_stage.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace postrider::app {
namespace {

using test::diary;
using test::noted_service;
using test::service_stage;

TEST(service, starts_in_two_steps_and_stops)
{
    service_stage stage;
    const auto one = stage.application.emplace<noted_service>(stage.notes, "one");
    EXPECT_FALSE(one->running());
    stage.application.start();
    EXPECT_TRUE(one->running());
    stage.stop();
    EXPECT_FALSE(one->running());
    EXPECT_EQ(stage.notes, (diary{"prepare one", "start one", "stop one"}));
}

} // namespace
} // namespace postrider::app
