// SPDX-License-Identifier: MIT
// unit/delivery/host_memory: what is remembered of hosts, and what is forgotten.
#include "delivery/host_memory.hpp"

#include <gtest/gtest.h>

namespace postrider::delivery {
namespace {

using namespace std::chrono_literals;

const net::time_point noon{12h};

TEST(host_memory, forgets_after_a_while)
{
    host_memory memory(5min);
    EXPECT_FALSE(memory.is_bad("mx", noon));
    memory.mark_bad("mx", noon);
    EXPECT_TRUE(memory.is_bad("mx", noon + 4min));
    EXPECT_FALSE(memory.is_bad("mx", noon + 5min));
    EXPECT_FALSE(memory.is_bad("other", noon));
}

TEST(host_memory, a_success_wipes_the_slate)
{
    host_memory memory;
    memory.mark_bad("mx", noon);
    memory.mark_good("mx");
    EXPECT_FALSE(memory.is_bad("mx", noon));
    EXPECT_EQ(memory.size(), 0u);
}

TEST(host_memory, is_bounded_and_drops_the_oldest)
{
    host_memory memory(5min, 3);
    for (int i = 0; i < 100; ++i)
        memory.mark_bad("mx" + std::to_string(i), noon + i * 1s);
    EXPECT_EQ(memory.size(), 3u);
    EXPECT_TRUE(memory.is_bad("mx99", noon + 100s));
    EXPECT_TRUE(memory.is_bad("mx97", noon + 100s));
    EXPECT_FALSE(memory.is_bad("mx96", noon + 100s));
}

TEST(host_memory, a_mark_keeps_the_time_it_was_given_with)
{
    host_memory memory(5min);
    memory.mark_bad("mx1", noon);
    memory.remember_for(1h);
    memory.mark_bad("mx2", noon);
    EXPECT_FALSE(memory.is_bad("mx1", noon + 5min));
    EXPECT_TRUE(memory.is_bad("mx2", noon + 59min));
    EXPECT_FALSE(memory.is_bad("mx2", noon + 1h));
}

TEST(host_memory, no_time_is_too_long_or_too_short_to_be_reckoned_with)
{
    host_memory memory;
    memory.remember_for(std::chrono::seconds::max());
    memory.mark_bad("mx1", noon);
    EXPECT_TRUE(memory.is_bad("mx1", noon + 24h * 300));
    memory.remember_for(-5s);
    memory.mark_bad("mx2", noon);
    EXPECT_FALSE(memory.is_bad("mx2", noon));
}

} // namespace
} // namespace postrider::delivery
