// SPDX-License-Identifier: MIT
// sandbox/conversation: what is kept, and that it stays small.

#include "sandbox/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace postrider::sandbox {
namespace {

std::vector<std::string> texts(const conversation& said)
{
    std::vector<std::string> all;
    for (const spoken_line& line : said.lines())
        all.push_back(line.who + (": " + line.text));
    return all;
}

TEST(conversation, keeps_lines_in_order)
{
    conversation said;
    said.add('S', "220 mx");
    EXPECT_EQ(said.add('C', "QUIT").text, "QUIT");
    EXPECT_THAT(texts(said), testing::ElementsAre("S: 220 mx", "C: QUIT"));
}

TEST(conversation, lets_the_oldest_lines_go_and_says_so)
{
    conversation said(2, 1000);
    for (const char* line : {"one", "two", "three"})
        said.add('C', line);
    EXPECT_THAT(texts(said),
                testing::ElementsAre("!: earlier lines of this session are not kept", "C: two", "C: three"));
}

TEST(conversation, is_bounded_in_octets_even_by_one_line)
{
    conversation said(10, 8);
    said.add('C', "12345");
    said.add('C', "6789");
    EXPECT_THAT(texts(said),
                testing::ElementsAre("!: earlier lines of this session are not kept", "C: 6789"));
    said.add('C', std::string(100, 'x'));
    EXPECT_EQ(texts(said).back(), "C: xxxxxxxx");
}

TEST(conversation, splits_what_is_written_into_lines)
{
    EXPECT_THAT(split_lines("250-a\r\n250 b\r\n"), testing::ElementsAre("250-a", "250 b"));
    EXPECT_THAT(split_lines(""), testing::IsEmpty());
    EXPECT_THAT(split_lines("250 a"), testing::ElementsAre("250 a"));
}

} // namespace
} // namespace postrider::sandbox
