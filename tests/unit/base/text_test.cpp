// SPDX-License-Identifier: MIT
// base/text_test: letters without a locale, UTF-8 without leniency, foreign text without effect.

#include "base/text.hpp"

#include <gtest/gtest.h>

using namespace postrider::base;
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(text, folds_only_ascii_letters)
{
    EXPECT_EQ(lower("AZ az [@`{ \xc3\x84"), "az az [@`{ \xc3\x84");
    EXPECT_EQ(upper("AZ az [@`{ \xc3\xa4"), "AZ AZ [@`{ \xc3\xa4");
    EXPECT_TRUE(equal_ignoring_case("8BitMime", "8BITMIME"));
    EXPECT_TRUE(equal_ignoring_case("", ""));
    EXPECT_FALSE(equal_ignoring_case("SIZE", "SIZ"));
    EXPECT_FALSE(equal_ignoring_case("@", "`")); // differ in the same bit as letters do
    EXPECT_FALSE(equal_ignoring_case("\xc3\x84", "\xc3\xa4"));
}

TEST(text, trims_blanks_at_both_ends_only)
{
    EXPECT_EQ(trim(" \t\r\na b\r\n"), "a b");
    EXPECT_EQ(trim("a"), "a");
    EXPECT_EQ(trim(" \r\n"), "");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim("\va"), "\va");
}

TEST(text, knows_well_formed_utf8)
{
    for (const auto good :
         {""sv, "a"sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv,
          "\xee\x80\x80"sv, "\xef\xbf\xbf"sv, "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv,
          "gr\xc3\xbc\xc3\x9f"
          "e"sv})
        EXPECT_TRUE(is_utf8(good)) << escaped(good);
    for (const auto bad : {"\x80"sv,
                           "\xbf"sv,
                           "\xc0\x80"sv,
                           "\xc1\xbf"sv,
                           "\xc2"sv,
                           "\xc2\x41"sv,
                           "\xc2\xc2"sv,
                           "\xe0\x80\x80"sv,
                           "\xe0\x9f\xbf"sv,
                           "\xe2\x82"sv,
                           "\xed\xa0\x80"sv,
                           "\xed\xbf\xbf"sv,
                           "\xf0\x80\x80\x80"sv,
                           "\xf0\x8f\xbf\xbf"sv,
                           "\xf0\x9f\x98"sv,
                           "\xf4\x90\x80\x80"sv,
                           "\xf5\x80\x80\x80"sv,
                           "\xfe"sv,
                           "\xff"sv,
                           "a\xff"sv})
        EXPECT_FALSE(is_utf8(bad)) << escaped(bad);
}

TEST(text, gives_the_first_code_point)
{
    EXPECT_EQ(first_code_point("a\xff")->value, U'a');
    EXPECT_EQ(first_code_point("\xc3\xbcx")->value, U'\u00fc');
    EXPECT_EQ(first_code_point("\xe2\x82\xac")->value, U'\u20ac');
    EXPECT_EQ(first_code_point("\xf0\x9f\x98\x80")->value, U'\U0001f600');
    EXPECT_EQ(first_code_point("\xf0\x9f\x98\x80z")->size, 4u);
    EXPECT_FALSE(first_code_point(""));
    EXPECT_FALSE(first_code_point("\xf0\x9f\x98"));
}

TEST(text, sees_eight_bit_octets)
{
    EXPECT_FALSE(has_eight_bit(""));
    EXPECT_FALSE(has_eight_bit("\x7f"));
    EXPECT_TRUE(has_eight_bit("abc\x80"));
}

TEST(text, escapes_what_could_act_on_a_screen_or_a_log)
{
    const struct {
        std::string_view text, shown;
    } cases[] = {
        {"plain text, \"quoted\" <tags>", "plain text, \"quoted\" <tags>"},
        {"\r\n\t\\", "\\r\\n\\t\\\\"},
        {"\0\x1b[31m\x7f"sv, "\\x00\\x1b[31m\\x7f"},
        {"gr\xc3\xbc\xc3\x9f"
         "e \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f"
         "e \xf0\x9f\x98\x80"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"}, // C1: CSI in one code point
        {"\x9b"
         "31m",
         "\\x9b31m"}, // and as a lone octet
        {"a\xe2\x80\xae"
         "gpj.exe",
         "a\\xe2\\x80\\xaegpj.exe"},                             // right-to-left override
        {"\xe2\x81\xa6x\xd8\x9c", "\\xe2\\x81\\xa6x\\xd8\\x9c"}, // isolate, Arabic letter mark
        {"one\xe2\x80\xa8two", "one\\xe2\\x80\\xa8two"},         // line separator
        {"\xc3(\xe2\x82", "\\xc3(\\xe2\\x82"},                   // unfinished sequences
    };
    for (const auto& c : cases)
        EXPECT_EQ(escaped(c.text), c.shown);
}

TEST(text, bounds_what_is_shown_without_cutting_a_unit)
{
    EXPECT_EQ(escaped("abcdef", 6), "abcdef");
    EXPECT_EQ(escaped("abcdefg", 6), "abc...");
    EXPECT_EQ(escaped("abc\n\n\n", 8), "abc\\n...");
    EXPECT_EQ(escaped("abc\n\n\n", 9), "abc\\n\\n\\n");
    EXPECT_EQ(escaped("abc\x01\x01", 9), "abc...");               // half an escape is never shown
    EXPECT_EQ(escaped("ab\xe2\x82\xac\xe2\x82\xac", 7), "ab..."); // nor half a character
    EXPECT_EQ(escaped("abcdef", 3), "...");
    EXPECT_EQ(escaped("abcdef", 2), "..");
    EXPECT_EQ(escaped("abcdef", 0), "");
    EXPECT_EQ(escaped("", 0), "");
    EXPECT_EQ(escaped(std::string(100'000, '\x01'), 512).size(), 511u);
}

TEST(text, never_shows_more_than_asked_for_and_always_utf8)
{
    std::string all;
    for (int octet = 0; octet < 256; ++octet)
        all += static_cast<char>(octet);
    all += "\xe2\x80\xae\xf0\x9f\x98\x80";
    for (std::size_t limit = 0; limit < 1200; ++limit) {
        const auto shown = escaped(all, limit);
        EXPECT_LE(shown.size(), limit);
        EXPECT_TRUE(is_utf8(shown));
    }
}

TEST(text, counts_things)
{
    EXPECT_EQ(counted(0, "message"), "0 messages");
    EXPECT_EQ(counted(1, "message"), "1 message");
    EXPECT_EQ(counted(3, "message"), "3 messages");
    EXPECT_EQ(counted(2, "reply"), "2 replies");
    EXPECT_EQ(counted(2, "key"), "2 keys");
    EXPECT_EQ(counted(2, "address"), "2 addresses");
    EXPECT_EQ(counted(2, "mailbox"), "2 mailboxes");
}
