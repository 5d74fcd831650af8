// SPDX-License-Identifier: MIT
// app/log_limits_test: how many lines of a kind a second has, and what is told of the others.

#include "app/log_limits.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace postrider::app {
namespace {

int written(log_limits& limits, std::string_view key, std::int64_t second, unsigned burst, int asked)
{
    int n = 0;
    for (int i = 0; i < asked; ++i)
        n += limits.ask(key, second, burst).written ? 1 : 0;
    return n;
}

TEST(log_limits, a_second_has_one_burst_for_each_key)
{
    log_limits limits;
    EXPECT_EQ(written(limits, "refused", 100, 10, 1000), 10);
    EXPECT_EQ(written(limits, "lost", 100, 3, 1000), 3);
    EXPECT_EQ(written(limits, "refused", 101, 10, 1000), 10);
}

TEST(log_limits, what_was_left_out_is_told_once)
{
    log_limits limits;
    EXPECT_EQ(written(limits, "refused", 100, 10, 25), 10);
    const auto first = limits.ask("refused", 107, 10);
    EXPECT_TRUE(first.written);
    EXPECT_EQ(first.left_out, 15u);
    EXPECT_EQ(limits.ask("refused", 107, 10).left_out, 0u);
}

TEST(log_limits, a_clock_set_back_begins_anew)
{
    log_limits limits;
    EXPECT_EQ(written(limits, "refused", 100, 10, 25), 10);
    EXPECT_EQ(written(limits, "refused", 50, 10, 25), 10);
}

TEST(log_limits, many_keys_do_not_lift_the_limit)
{
    log_limits limits;
    int n = 0;
    for (int key = 0; key < 100'000; ++key)
        n += written(limits, std::to_string(key), 100, 2, 3);
    EXPECT_LE(n, static_cast<int>(2 * (log_limits::kinds_max + 1)));
    EXPECT_GE(n, static_cast<int>(2 * log_limits::kinds_max));
}

TEST(log_limits, a_key_keeps_its_count_when_others_come)
{
    log_limits limits;
    EXPECT_EQ(written(limits, "refused", 100, 10, 25), 10);
    for (int key = 0; key < 100'000; ++key)
        limits.ask(std::to_string(key), 100 + key / 1000, 1);
    EXPECT_EQ(limits.ask("refused", 1000, 10).left_out, 15u);
}

TEST(log_limits, places_are_free_again_after_their_second)
{
    log_limits limits;
    for (std::size_t key = 0; key < log_limits::kinds_max; ++key)
        limits.ask(std::to_string(key), 100, 10);
    EXPECT_EQ(written(limits, "new", 100, 10, 20), 10);  // among the others
    EXPECT_EQ(written(limits, "newer", 100, 10, 20), 0); // whose limit is one
    EXPECT_EQ(written(limits, "new", 101, 10, 20), 10);
    EXPECT_EQ(written(limits, "newer", 101, 10, 20), 10);
}

TEST(log_limits, what_nobody_asks_for_is_forgotten_at_last)
{
    log_limits limits;
    for (std::size_t key = 0; key < log_limits::kinds_max; ++key)
        written(limits, "old" + std::to_string(key), 100, 1, 2);
    EXPECT_EQ(written(limits, "new", 101, 1, 1) + written(limits, "newer", 101, 1, 1), 1); // they share
    const auto later = 101 + log_limits::remembered_seconds;
    EXPECT_EQ(written(limits, "new", later, 1, 1) + written(limits, "newer", later, 1, 1), 2);
}

} // namespace
} // namespace postrider::app
