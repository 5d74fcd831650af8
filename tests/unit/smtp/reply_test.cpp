// SPDX-License-Identifier: MIT
// smtp/reply_test: what a reply means by its code, and how it is shown.

#include "postrider/reply.hpp"

#include <gtest/gtest.h>

using namespace postrider;

TEST(reply, means_what_its_first_digit_says)
{
    EXPECT_TRUE(reply(299, {}, {""}).positive());
    EXPECT_TRUE(reply(354, {}, {""}).intermediate());
    EXPECT_TRUE(reply(499, {}, {""}).transient());
    EXPECT_TRUE(reply(554, {}, {""}).permanent());
    EXPECT_FALSE(reply(554, {}, {""}).transient());
    const reply none;
    EXPECT_FALSE(none.positive() || none.intermediate() || none.transient() || none.permanent());
}

TEST(reply, is_shown_on_one_line)
{
    const enhanced_code unknown_user{5, 1, 1};
    EXPECT_EQ(reply(550, unknown_user, {"5.1.1 no such user"}).to_string(), "550 5.1.1 no such user");
    EXPECT_EQ(reply(250, {}, {""}).to_string(), "250");
    EXPECT_EQ(reply(250, {}, {"mx", "", "SIZE 10"}).to_string(), "250 mx SIZE 10");
    EXPECT_EQ(reply(550, unknown_user, {"5.1.1 no", "5.1.1 such", "5.1.12 user"}).to_string(),
              "550 5.1.1 no such 5.1.12 user");
    EXPECT_EQ(reply(550, {}, {"5.1.1 a", "5.1.1 b"}).to_string(), "550 5.1.1 a 5.1.1 b");
    EXPECT_EQ(reply().to_string(), "no reply");
}

TEST(reply, is_shown_without_effect_on_a_terminal)
{
    EXPECT_EQ(reply(554, {}, {"\x1b[2Jno\rway\\", "\xe2\x80\xaex"}).to_string(),
              "554 \\x1b[2Jno\\rway\\\\ \\xe2\\x80\\xaex");
}

TEST(reply, is_shown_within_bounds)
{
    EXPECT_EQ(reply(550, {}, {"abcdef", "ghi"}).to_string(14), "550 abcdef ghi");
    EXPECT_EQ(reply(550, {}, {"abcdef", "ghi"}).to_string(13), "550 abcdef...");
    EXPECT_EQ(reply(550, {}, {"abcdef", "ghi"}).to_string(10), "550 abc...");
    const reply endless(550, {}, std::vector<std::string>(512, std::string(4000, 'x')));
    EXPECT_EQ(endless.to_string(100).size(), 100u);
    EXPECT_EQ(reply().to_string(3), "...");
}

TEST(enhanced_code, is_printed_with_dots) { EXPECT_EQ((enhanced_code{4, 7, 26}.to_string()), "4.7.26"); }
