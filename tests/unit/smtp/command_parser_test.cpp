// SPDX-License-Identifier: MIT
// smtp/command_parser: verbs, paths and parameters.

#include "smtp/command_parser.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace postrider::smtp {
namespace {

TEST(command_parser, knows_verbs_in_any_case)
{
    EXPECT_EQ(parse_command("EHLO a.example").what, command_name::ehlo);
    EXPECT_EQ(parse_command("eHlO  a.example  ").argument, "a.example");
    EXPECT_EQ(parse_command("DATA").what, command_name::data);
    EXPECT_EQ(parse_command("DATA ").argument, "");
    EXPECT_EQ(parse_command("Get / HTTP/1.1").what, command_name::http);
    for (const char* other : {"", " ", "DAT", "DATAX", " DATA", "DATA\tx", "NOOP \x7f", "\xff\xfe"})
        EXPECT_EQ(parse_command(other).what, command_name::unknown) << other;
    EXPECT_EQ(parse_command(std::string_view("NOOP\0", 5)).what, command_name::unknown);
}

TEST(command_parser, reads_paths)
{
    const struct {
        const char* argument;
        const char* mailbox; ///< nullptr: nobody
    } good[] = {
        {"FROM:<>", nullptr},
        {"from: <ann@a.example>", "ann@a.example"},
        {"FROM:<@one.example:ann@a.example>", "ann@a.example"},
        {"FROM:<@one.example,@[192.0.2.1],@[IPv6:2001:db8::1]:ann@a.example>", "ann@a.example"},
        {"FROM:<\"a>\\\"b\"@a.example>", "\"a>\\\"b\"@a.example"},
    };
    for (const auto& g : good) {
        const result<path> read = parse_mail(g.argument);
        ASSERT_TRUE(read) << g.argument << ": " << read.problem().what;
        ASSERT_EQ(read->mailbox.has_value(), g.mailbox != nullptr) << g.argument;
        if (g.mailbox) {
            EXPECT_EQ(*read->mailbox, address(g.mailbox)) << g.argument;
        }
    }
    for (const char* bad : {"",
                            "FROM",
                            "FROM:",
                            "FROM:ann@a.example",
                            "FROM:<",
                            "FROM:<ann>",
                            "TO:<ann@a.example>",
                            "FROM:<ann@a.example>>",
                            "FROM:<<ann@a.example>",
                            "FROM:<ann@a.example",
                            "FROM:<ann@a.example>x",
                            "FROM:<@:ann@a.example>",
                            "FROM:<@>",
                            "FROM:<@a.example>",
                            "FROM:<@a.example,>",
                            "FROM:<@a.example,b@c.example>",
                            "FROM:<@[192.0.2.1:ann@a.example>",
                            "FROM:<a@b@c>",
                            "FROM:< ann@a.example>",
                            "FROM:<postmaster>"})
        EXPECT_FALSE(parse_mail(bad)) << bad;
}

TEST(command_parser, lets_postmaster_stand_without_a_domain_only_as_a_recipient)
{
    const result<path> read = parse_rcpt("TO:<PostMaster>");
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->mailbox);
    EXPECT_FALSE(parse_rcpt("TO:<>"));
    EXPECT_FALSE(parse_rcpt("TO:<root>"));
}

TEST(command_parser, reads_parameters)
{
    const result<path> read = parse_mail("FROM:<>  size=10   SMTPUTF8 x-y=a+2Bb");
    ASSERT_TRUE(read) << read.problem().what;
    ASSERT_EQ(read->parameters.size(), 3u);
    EXPECT_EQ(read->parameters[0].keyword, "SIZE");
    EXPECT_EQ(read->parameters[0].value, "10");
    EXPECT_EQ(read->parameters[0].text, "size=10");
    EXPECT_EQ(read->parameters[1].keyword, "SMTPUTF8");
    EXPECT_FALSE(read->parameters[1].value);
    EXPECT_EQ(read->parameters[2].value, "a+2Bb");
    for (const char* bad : {"FROM:<> =1", "FROM:<> SIZE=", "FROM:<> SIZE=1=2", "FROM:<> -X", "FROM:<> A_B",
                            "FROM:<> X=1 x=2", "FROM:<> X=\xff", "FROM:<> \xc3\xa9=1"})
        EXPECT_FALSE(parse_mail(bad)) << bad;
}

TEST(command_parser, says_where_octets_are_not_ascii)
{
    EXPECT_FALSE(parse_mail("FROM:<ann@a.example>")->eight_bit);
    EXPECT_TRUE(parse_mail("FROM:<\xc3\xa9va@a.example>")->eight_bit);
    EXPECT_TRUE(parse_mail("FROM:<ann@a.example> X=\xc3\xa9")->eight_bit);
}

TEST(command_parser, reads_sizes_up_to_twenty_digits)
{
    EXPECT_EQ(parse_size("0"), 0u);
    EXPECT_EQ(parse_size("00000000000000000010"), 10u);
    EXPECT_EQ(parse_size("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(parse_size("18446744073709551616"), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(parse_size("99999999999999999999"), std::numeric_limits<std::uint64_t>::max());
    for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1k", "0x10", "000000000000000000010"})
        EXPECT_FALSE(parse_size(bad)) << bad;
}

} // namespace
} // namespace postrider::smtp
