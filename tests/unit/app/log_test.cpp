// SPDX-License-Identifier: MIT
// app/log_test: who speaks, from which level on, to whom, and how often.

#include "postrider/app/log.hpp"

#include "app/log_output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace postrider::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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

} // namespace
} // namespace postrider::app
