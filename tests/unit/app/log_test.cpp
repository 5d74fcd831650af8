// SPDX-License-Identifier: MIT
// app/log_test: who speaks, from which level on, to whom, and how often.

#include "postrider/app/log.hpp"

#include "app/log_output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace postrider::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Pair;

// What an observer hears while this lives: "[prefix] level: text".
class listener {
public:
    explicit listener(log_level least = log_level::info)
    {
        set_log_observer(
            [this](const log_line& line) {
                heard.push_back("[" + std::string(line.prefix) + "] " + std::string(to_string(line.level)) +
                                ": " + std::string(line.text));
            },
            least);
    }
    ~listener() { set_log_observer(nullptr); }
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    std::vector<std::string> heard;
};

TEST(log, has_a_prefix_and_a_level)
{
    listener ear;
    logger("client").info("connected");
    logger("client").warning("slow");
    logger("client").error("lost");
    logger().info("nobody in particular");
    logger("").info("nobody either");
    EXPECT_THAT(ear.heard,
                ElementsAre("[client] info: connected", "[client] warning: slow", "[client] error: lost",
                            "[-] info: nobody in particular", "[-] info: nobody either"));
}

TEST(log, leaves_out_what_is_below_the_level)
{
    {
        listener ear;
        logger("x").debug("too fine");
        EXPECT_THAT(ear.heard, IsEmpty());
    }
    {
        listener ear(log_level::debug);
        logger("x").debug("fine");
        EXPECT_THAT(ear.heard, ElementsAre("[x] debug: fine"));
    }
    {
        listener ear(log_level::error);
        logger("x").warning("not bad enough");
        logger("x").error("bad enough");
        EXPECT_THAT(ear.heard, ElementsAre("[x] error: bad enough"));
    }
}

TEST(log, cannot_be_forged_by_what_was_said)
{
    listener ear;
    logger("x").info("one\r\n2026-11-22T10:58:08+0000 [root] two");
    logger("x").info(std::string_view("nul \0 escape \x1b[31m", 18));
    logger("a\nb").info("prefix");
    EXPECT_THAT(ear.heard, ElementsAre("[x] info: one\\r\\n2026-11-22T10:58:08+0000 [root] two",
                                       "[x] info: nul \\x00 escape \\x1b[31m", "[a\\nb] info: prefix"));
}

TEST(log, outlives_an_observer_that_throws)
{
    const auto before = lines_lost();
    set_log_observer([](const log_line&) { throw std::runtime_error("no"); });
    EXPECT_NO_THROW(logger("x").info("hello"));
    set_log_observer(nullptr);
    EXPECT_EQ(lines_lost(), before + 1);
}

TEST(log, outlives_an_observer_that_logs)
{
    const auto before = lines_lost();
    int calls = 0;
    set_log_observer([&](const log_line&) {
        ++calls;
        logger("y").info("I heard that");
    });
    logger("x").info("hello");
    set_log_observer(nullptr);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(lines_lost(), before + 1);
}

TEST(log, says_how_many_lines_were_left_out)
{
    listener ear;
    const logger log("x");
    for (int i = 0; i < 17; ++i)
        log.limited(log_level::warning, "says_how_many", "refused again", 0); // none of them
    EXPECT_THAT(ear.heard, IsEmpty());
    log.limited(log_level::warning, "says_how_many", "refused again");
    EXPECT_THAT(ear.heard,
                ElementsAre("[x] warning: refused again", "[x] warning: 17 lines like this were left out"));
}

TEST(log, limits_a_key_whoever_speaks)
{
    std::map<std::chrono::sys_seconds, int> lines;
    set_log_observer(
        [&](const log_line& line) { ++lines[std::chrono::floor<std::chrono::seconds>(line.when)]; });
    for (int i = 0; i < 1000; ++i)
        logger("server," + std::to_string(i)).limited(log_level::info, "whoever_speaks", "hello", 5);
    set_log_observer(nullptr);
    ASSERT_FALSE(lines.empty());
    for (const auto& [second, n] : lines)
        EXPECT_LE(n, 6); // and the line about those left out
}

TEST(log, a_level_that_is_left_out_costs_no_burst)
{
    listener ear(log_level::warning);
    for (int i = 0; i < 100; ++i)
        logger("x").limited(log_level::info, "costs_no_burst", "fine", 1);
    logger("x").limited(log_level::warning, "costs_no_burst", "bad", 1);
    EXPECT_THAT(ear.heard, ElementsAre("[x] warning: bad"));
}

TEST(log, is_heard_from_all_threads_one_call_at_a_time)
{
    constexpr int each = 20'000;
    std::atomic<int> inside = 0, overlapping = 0;
    std::map<std::string, int> heard; // not locked: that is the promise
    set_log_observer([&](const log_line& line) {
        overlapping += inside++;
        ++heard[std::string(line.prefix)];
        --inside;
    });
    {
        std::latch together(4);
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([t, &together] {
                const logger log("thread" + std::to_string(t));
                together.arrive_and_wait();
                for (int i = 0; i < each; ++i)
                    log.info("hello");
            });
    }
    set_log_observer(nullptr);
    EXPECT_EQ(overlapping, 0);
    EXPECT_THAT(heard, ElementsAre(Pair("thread0", each), Pair("thread1", each), Pair("thread2", each),
                                   Pair("thread3", each)));
}

TEST(log, goes_back_to_where_it_went_before)
{
    {
        listener first;
    }
    testing::internal::CaptureStderr();
    logger("x").warning("hello");
    logger("x").debug("too fine");
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                MatchesRegex("....-..-..T..:..:..[+-].... .x. warning: hello\n"));
}

} // namespace
} // namespace postrider::app
