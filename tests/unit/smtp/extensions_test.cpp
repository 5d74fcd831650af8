// SPDX-License-Identifier: MIT
// smtp/extensions_test: replies to EHLO, as the RFCs have them and as they are seen.

#include "smtp/extensions.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace postrider;
using namespace postrider::smtp;
using words = std::vector<std::string>;

namespace {

// What a server offers whose lines, behind its greeting, are these.
extensions offered_by(words lines)
{
    lines.insert(lines.begin(), "mx.example.org greets you");
    return extensions::from_reply(reply(250, {}, lines));
}

} // namespace

TEST(extensions, are_read_from_the_lines_behind_the_greeting)
{
    const auto e = extensions::from_reply(
        reply(250, {}, {"PIPELINING at your service", "8BITMIME", "SIZE 35882577", "DSN", "X-ODD a b=c"}));
    EXPECT_FALSE(e.pipelining()) << "a host may be called like a keyword";
    EXPECT_TRUE(e.eight_bit_mime());
    EXPECT_TRUE(e.dsn());
    EXPECT_FALSE(e.starttls());
    EXPECT_EQ(e.size_max(), 35882577u);
    ASSERT_EQ(e.all().size(), 4u);
    EXPECT_EQ(e.find("x-odd")->keyword, "X-ODD");
    EXPECT_EQ(e.find("X-Odd")->parameters, (words{"a", "b=c"}));
    EXPECT_EQ(e.find("X-OD"), nullptr);
}

TEST(extensions, are_none_without_a_positive_reply)
{
    EXPECT_TRUE(extensions().all().empty());
    EXPECT_TRUE(extensions::from_reply(reply(250, {}, {"mx.example.org"})).all().empty());
    EXPECT_TRUE(extensions::from_reply(reply()).all().empty());
    EXPECT_TRUE(extensions::from_reply(reply(502, {}, {"no", "PIPELINING"})).all().empty());
}

TEST(extensions, are_read_in_any_case_and_spacing)
{
    const auto e = offered_by({"pipelining", " StartTLS ", "\tSMTPUTF8\t", "size  \t 1000 ", "CHUNKING\r", "",
                               "  ", "EnhancedStatusCodes"});
    EXPECT_TRUE(e.pipelining());
    EXPECT_TRUE(e.starttls());
    EXPECT_TRUE(e.smtputf8());
    EXPECT_TRUE(e.chunking());
    EXPECT_TRUE(e.enhanced_status_codes());
    EXPECT_EQ(e.size_max(), 1000u);
    EXPECT_EQ(e.all().size(), 6u);
    EXPECT_TRUE(e.offers("starttls"));
    EXPECT_FALSE(e.offers(""));
}

TEST(extensions, do_not_take_a_beginning_for_a_keyword)
{
    const auto e = offered_by({"PIPELININGS", "STARTTLS-NOT", "X8BITMIME"});
    EXPECT_FALSE(e.pipelining());
    EXPECT_FALSE(e.starttls());
    EXPECT_FALSE(e.eight_bit_mime());
}

TEST(extensions, size_is_a_number_or_unknown)
{
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    const struct {
        const char* line;
        std::optional<std::uint64_t> octets;
    } cases[] = {
        {"SIZE 1", 1},
        {"SIZE 00010", 10},
        {"SIZE=1000", 1000},
        {"SIZE", {}},
        {"SIZE 0", {}},
        {"SIZE 000", {}},
        {"SIZE -1", {}},
        {"SIZE +1", {}},
        {"SIZE 10M", {}},
        {"SIZE 0x10", {}},
        {"SIZE unlimited", {}},
        {"SIZE 4294967296", 4294967296u},
        {"SIZE 18446744073709551614", largest - 1},
        {"SIZE 18446744073709551615", largest},
        {"SIZE 18446744073709551616", largest},
        {"SIZE 99999999999999999999999999999999", largest},
    };
    for (const auto& c : cases)
        EXPECT_EQ(offered_by({c.line}).size_max(), c.octets) << c.line;
    EXPECT_EQ(offered_by({"DSN"}).size_max(), std::nullopt);
}

TEST(extensions, auth_is_understood_in_its_old_form_too)
{
    const struct {
        words lines, mechanisms;
    } cases[] = {
        {{"AUTH PLAIN LOGIN"}, {"PLAIN", "LOGIN"}},
        {{"AUTH=PLAIN LOGIN"}, {"PLAIN", "LOGIN"}},
        {{"AUTH= PLAIN LOGIN"}, {"PLAIN", "LOGIN"}},
        {{"AUTH"}, {}},
        {{"AUTH="}, {}},
        {{"AUTH LOGIN CRAM-MD5", "AUTH=LOGIN PLAIN"}, {"LOGIN", "CRAM-MD5", "PLAIN"}},
        {{"auth plain PLAIN Plain scram-sha-256-plus"}, {"PLAIN", "SCRAM-SHA-256-PLUS"}},
        {{"AUTH PLAIN \x1b[2J A-NAME-TOO-LONG-TO-BE X'Y EXTERNAL"}, {"PLAIN", "EXTERNAL"}},
        {{"AUTHENTICATE PLAIN"}, {}},
        {{}, {}},
    };
    for (const auto& c : cases)
        EXPECT_EQ(offered_by(c.lines).auth_mechanisms(), c.mechanisms);
    EXPECT_EQ(offered_by({"AUTH=LOGIN"}).find("AUTH")->parameters, words{"LOGIN"});
}

TEST(extensions, merge_what_is_said_twice)
{
    const auto e = offered_by({"LIMITS RCPTMAX=3", "DSN", "limits MAILMAX=5"});
    EXPECT_EQ(e.all().size(), 2u);
    EXPECT_EQ(e.find("LIMITS")->parameters, (words{"RCPTMAX=3", "MAILMAX=5"}));
    EXPECT_EQ(offered_by({"SIZE 10", "SIZE 20"}).size_max(), 10u);
    EXPECT_EQ(offered_by({"SIZE", "SIZE 20"}).size_max(), 20u);
}

TEST(extensions, of_a_hostile_server_cost_little)
{
    std::string mechanisms = "AUTH";
    for (int i = 0; i < 20'000; ++i)
        mechanisms += " M" + std::to_string(i % 9'000);
    EXPECT_EQ(offered_by({mechanisms}).auth_mechanisms().size(), 9'000u);
}
