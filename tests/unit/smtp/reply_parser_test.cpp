// SPDX-License-Identifier: MIT
// smtp/reply_parser_test: what is a reply, what is none, and that no split of the octets matters.

#include "smtp/reply_parser.hpp"

#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace postrider;
using namespace postrider::smtp;
using namespace std::string_view_literals;
using testing::HasSubstr;
using lines = std::vector<std::string>;
using status = reply_parser::status;

namespace {

// All that a stream of octets came to.
struct outcome {
    std::vector<reply> replies;
    std::string why;
    bool in_the_middle = false;

    bool operator==(const outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const outcome& o)
{
    for (const auto& r : o.replies)
        out << '{' << r.to_string() << "} ";
    return out << "why: " << o.why << (o.in_the_middle ? ", in the middle" : "");
}

// Gives the pieces one after the other, each until it is used up or nothing can be made of it.
outcome read_pieces(const std::vector<std::string_view>& pieces)
{
    reply_parser parser;
    outcome o;
    for (auto input : pieces) {
        while (!input.empty()) {
            const auto s = parser.read(input);
            if (s == status::complete)
                o.replies.push_back(parser.take());
            if (s == status::broken)
                return {o.replies, parser.why(), parser.in_the_middle()};
        }
    }
    o.in_the_middle = parser.in_the_middle();
    return o;
}

std::vector<std::string_view> in_pieces_of(std::size_t size, std::string_view octets)
{
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < octets.size(); at += size)
        pieces.push_back(octets.substr(at, size));
    return pieces;
}

// Whole, and then in every way that might matter; all must agree.
outcome read(std::string_view octets)
{
    const auto whole = read_pieces({octets});
    for (const std::size_t size : {1, 2, 3, 7, 60})
        EXPECT_EQ(read_pieces(in_pieces_of(size, octets)), whole) << "in pieces of " << size;
    const std::size_t step = octets.size() > 1000 ? 397 : 1;
    for (std::size_t at = 0; at <= octets.size(); at += step)
        EXPECT_EQ(read_pieces({octets.substr(0, at), octets.substr(at)}), whole) << "split at " << at;
    return whole;
}

std::string line_of(std::size_t octets, std::string_view beginning, std::string_view end)
{
    std::string line(beginning);
    line.append(octets - beginning.size() - end.size(), 'x');
    return line.append(end);
}

} // namespace

TEST(reply_parser, reads_one_reply)
{
    const struct {
        std::string_view octets;
        int code;
        lines text;
    } cases[] = {
        {"220 mx.example.org ESMTP\r\n", 220, {"mx.example.org ESMTP"}},
        {"250\r\n", 250, {""}},
        {"250 \r\n", 250, {""}},
        {"250\n", 250, {""}},
        {"250-\n250\n", 250, {"", ""}},
        {"250-one\r\n250-two\r\n250 three\r\n", 250, {"one", "two", "three"}},
        {"250-one\n250 two\r\n", 250, {"one", "two"}},
        {"250  two spaces \r\n", 250, {" two spaces "}},
        {"250--\r\n250 -\r\n", 250, {"-", "-"}},
        {"200 least\r\n", 200, {"least"}},
        {"299 unlisted\r\n", 299, {"unlisted"}},
        {"599 greatest\r\n", 599, {"greatest"}},
        {"250 a\rb\r\n", 250, {"a\rb"}},
        {"250 a\r\r\n", 250, {"a\r"}},
        {"250 \x1b[2J\xff\r\n", 250, {"\x1b[2J\xff"}},
        {"354 go ahead\r\n", 354, {"go ahead"}},
    };
    for (const auto& c : cases) {
        const auto o = read(c.octets);
        ASSERT_EQ(o.replies.size(), 1u) << base::escaped(c.octets) << ' ' << o;
        EXPECT_EQ(o.replies[0].code(), c.code);
        EXPECT_EQ(o.replies[0].lines(), c.text);
        EXPECT_FALSE(o.in_the_middle);
    }
}

TEST(reply_parser, reads_replies_one_after_the_other)
{
    const auto o = read("250-2.1.0 a\r\n250 2.1.0 b\r\n550 5.1.1 c\r\n354\n");
    ASSERT_EQ(o.replies.size(), 3u);
    EXPECT_EQ(o.replies[0], reply(250, enhanced_code{2, 1, 0}, {"2.1.0 a", "2.1.0 b"}));
    EXPECT_EQ(o.replies[1], reply(550, enhanced_code{5, 1, 1}, {"5.1.1 c"}));
    EXPECT_EQ(o.replies[2], reply(354, {}, {""}));
}

TEST(reply_parser, leaves_what_is_behind_a_reply_with_the_caller)
{
    reply_parser parser;
    auto input = "220 ready\r\n250 injected\r\n"sv;
    ASSERT_EQ(parser.read(input), status::complete);
    EXPECT_EQ(input, "250 injected\r\n");
    EXPECT_EQ(parser.take().lines(), lines{"ready"});
    EXPECT_FALSE(parser.in_the_middle());
    EXPECT_EQ(input, "250 injected\r\n");
}

TEST(reply_parser, takes_nothing_for_a_reply_before_its_last_line_end)
{
    for (const auto unfinished : {"2"sv, "250"sv, "250\r"sv, "250 ok"sv, "250 ok\r"sv, "250-a\r\n"sv,
                                  "250-a\r\n2"sv, "250-a\r\n250 ok"sv}) {
        const auto o = read(unfinished);
        EXPECT_TRUE(o.replies.empty()) << unfinished;
        EXPECT_EQ(o.why, "");
        EXPECT_TRUE(o.in_the_middle) << "a fragment must be seen before STARTTLS";
    }
    EXPECT_FALSE(read("").in_the_middle);
}

TEST(reply_parser, shows_the_fragment_it_holds)
{
    reply_parser parser;
    auto input = "250-a\r\n250 que"sv;
    EXPECT_EQ(parser.read(input), status::incomplete);
    EXPECT_EQ(parser.held(), "250 que");
    parser.reset();
    EXPECT_FALSE(parser.in_the_middle());
    EXPECT_EQ(parser.held(), "");
    input = "221 bye\r\n";
    ASSERT_EQ(parser.read(input), status::complete);
    EXPECT_EQ(parser.take().lines(), lines{"bye"});
}

TEST(reply_parser, breaks_at_what_is_no_reply)
{
    const struct {
        std::string_view octets, why;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n", "that looks like HTTP, not SMTP: \"HTTP/1.1 400 Bad Request\""},
        {"SSH-2.0-OpenSSH_9.2\r\n", "that looks like SSH, not SMTP: \"SSH-2.0-OpenSSH_9.2\""},
        {"\x15\x03\x03\x00\x02\x02\x28"sv, "that looks like TLS, not SMTP: \"\\x15\\x03\\x03\\x00\""},
        {"+OK POP3 ready\r\n", "that looks like POP3, not SMTP: \"+OK POP3 ready\""},
        {"* OK IMAP4rev1\r\n", "that looks like IMAP, not SMTP: \"* OK IMAP4rev1\""},
        {"\r\n", "an empty line came where a reply should stand"},
        {"\n", "an empty line came where a reply should stand"},
        {"250-a\r\n\r\n250 b\r\n", "an empty line came where a reply should stand"},
        {"hello\r\n", "begin with a code of three digits: \"hello\""},
        {" 250 ok\r\n", "begin with a code of three digits: \" 250 ok\""},
        {"25\r\n", "begin with a code of three digits: \"25\""},
        {"2 0 ok\r\n", "begin with a code of three digits: \"2 0 ok\""},
        {"-50 ok\r\n", "begin with a code of three digits: \"-50 ok\""},
        {"\xef\xbb\xbf"
         "220 ok\r\n",
         "begin with a code of three digits: \"\xef\xbb\xbf"
         "220 ok\""},
        {"050 ok\r\n", "050 is not between 200 and 599: \"050 ok\""},
        {"150 ok\r\n", "150 is not between 200 and 599: \"150 ok\""},
        {"199 ok\r\n", "199 is not between 200 and 599"},
        {"600 ok\r\n", "600 is not between 200 and 599"},
        {"999 ok\r\n", "999 is not between 200 and 599"},
        {"2500 ok\r\n", "neither a space nor a hyphen follows the code: \"2500 ok\""},
        {"250:ok\r\n", "neither a space nor a hyphen follows the code: \"250:ok\""},
        {"250\tok\r\n", "neither a space nor a hyphen follows the code: \"250\\tok\""},
        {"250\rok\r\n", "neither a space nor a hyphen follows the code: \"250\\rok\""},
        {"250\r\r\n", "neither a space nor a hyphen follows the code: \"250\\r\""},
        {"250-a\r\n251 b\r\n", "different codes, 250 and then: \"251 b\""},
        {"250-a\r\n550 b\r\n", "different codes, 250 and then: \"550 b\""},
        {"250-a\r\nb\r\n", "begin with a code of three digits: \"b\""},
        {"250 a\0b\r\n"sv, "a reply with a NUL in it: \"250 a\\x00\""},
        {"250-a\r\n250 \0\r\n"sv, "a reply with a NUL in it: \"250 \\x00\""},
        {"25\0 ok\r\n"sv, "begin with a code of three digits: \"25\\x00\""},
        {"\0"sv, "begin with a code of three digits: \"\\x00\""},
    };
    for (const auto& c : cases) {
        const auto o = read(c.octets);
        EXPECT_TRUE(o.replies.empty()) << base::escaped(c.octets);
        EXPECT_THAT(o.why, HasSubstr(std::string(c.why))) << base::escaped(c.octets);
        EXPECT_FALSE(o.in_the_middle);
    }
}

TEST(reply_parser, keeps_the_replies_before_the_break)
{
    const auto o = read("250 fine\r\ngarbage\r\n221 bye\r\n");
    ASSERT_EQ(o.replies.size(), 1u);
    EXPECT_THAT(o.why, HasSubstr("\"garbage\""));
}

TEST(reply_parser, stays_broken)
{
    reply_parser parser;
    auto input = "nonsense\r\n250 ok\r\n"sv;
    EXPECT_EQ(parser.read(input), status::broken);
    const auto why = parser.why();
    EXPECT_EQ(parser.read(input), status::broken);
    input = "250 ok\r\n";
    EXPECT_EQ(parser.read(input), status::broken);
    EXPECT_EQ(parser.why(), why);
    parser.reset();
    EXPECT_EQ(parser.why(), "");
    EXPECT_EQ(parser.read(input), status::complete);
}

TEST(reply_parser, does_not_wait_for_the_end_of_endless_nonsense)
{
    reply_parser parser;
    const std::string nonsense(79, 'x');
    std::string_view input = nonsense;
    EXPECT_EQ(parser.read(input), status::incomplete);
    input = "x";
    EXPECT_EQ(parser.read(input), status::broken);
    EXPECT_THAT(parser.why(), HasSubstr('"' + nonsense + "x\""));
    EXPECT_EQ(read(nonsense + "\x01\x02\x03 and more\r\n").why, read(nonsense + "\x01").why);
}

TEST(reply_parser, bounds_a_line)
{
    for (const auto end : {"\r\n"sv, "\n"sv}) {
        EXPECT_EQ(read(line_of(4096, "250 ", end)).replies.size(), 1u);
        EXPECT_THAT(read(line_of(4097, "250 ", end)).why, HasSubstr("more than 4096 octets: \"250 xxx"));
    }
    EXPECT_TRUE(read(line_of(4095, "250 ", "")).in_the_middle);
    EXPECT_THAT(read(line_of(4096, "250 ", "")).why, HasSubstr("more than 4096 octets"));
    EXPECT_LT(read(line_of(9999, "250 ", "\x01\r\n")).why.size(), 300u);
}

TEST(reply_parser, bounds_the_lines_of_a_reply)
{
    const auto reply_of = [](std::size_t n) {
        std::string octets;
        for (std::size_t i = 1; i < n; ++i)
            octets += "250-x\r\n";
        return octets + "250 end\r\n";
    };
    EXPECT_EQ(read(reply_of(512)).replies.at(0).lines().size(), 512u);
    EXPECT_THAT(read(reply_of(513)).why, HasSubstr("more than 512 lines"));
}

TEST(reply_parser, bounds_a_reply)
{
    std::string octets;
    for (int i = 0; i < 15; ++i)
        octets += line_of(4096, "250-", "\r\n");
    EXPECT_EQ(read(octets + line_of(4096, "250 ", "\r\n")).replies.size(), 1u);
    // One octet more needs a line of its own, as no line may be longer.
    const auto full = octets + line_of(4096, "250-", "\r\n");
    EXPECT_THAT(read(full).why, HasSubstr("more than 65536 octets"));
    const auto nearly = octets + line_of(4090, "250-", "\r\n");
    EXPECT_EQ(read(nearly + "250 x\n").replies.size(), 1u);
    EXPECT_THAT(read(nearly + "250 xy\n").why, HasSubstr("more than 65536 octets"));
    EXPECT_THAT(read(nearly + "250 xyz").why, HasSubstr("more than 65536 octets"));
    EXPECT_THAT(read(nearly + "nonsense").why, HasSubstr("more than 65536 octets"));
    EXPECT_TRUE(read(nearly + "250 x").in_the_middle);
}

TEST(reply_parser, forgets_a_reply_when_the_next_begins)
{
    const auto o = read(line_of(4000, "250 ", "\r\n") + line_of(4096, "550 ", "\r\n"));
    ASSERT_EQ(o.replies.size(), 2u);
    EXPECT_EQ(o.replies[1].code(), 550);
}

TEST(enhanced_code, is_read_where_it_is_whole_and_agrees_with_the_code)
{
    const struct {
        int code;
        std::string_view text;
        std::optional<enhanced_code> found;
    } cases[] = {
        {250, "2.1.0 ok", enhanced_code{2, 1, 0}},
        {550, "5.7.2", enhanced_code{5, 7, 2}}, // nothing behind it: CVE-2026-43964
        {550, "5.7.2 ", enhanced_code{5, 7, 2}},
        {550, "5.7.2\tx", enhanced_code{5, 7, 2}},
        {451, "4.999.999 x", enhanced_code{4, 999, 999}},
        {550, "5.0.0 x", enhanced_code{5, 0, 0}},
        {550, "4.1.1 x", {}}, // the class is not the code's
        {250, "5.1.1 x", {}},
        {354, "3.0.0 x", {}}, // there is no such class
        {354, "2.0.0 x", {}},
        {550, "", {}},
        {550, "5", {}},
        {550, "5.", {}},
        {550, "5.1", {}},
        {550, "5.1.", {}},
        {550, "5.1. x", {}},
        {550, ".1.1 x", {}},
        {550, "5..1 x", {}},
        {550, " 5.1.1 x", {}},
        {550, "5.1.1x", {}},
        {550, "5.1.1.", {}},
        {550, "5.135.209.25 is blocked", {}}, // an address
        {550, "5.01.1 x", {}},
        {550, "5.1.1000 x", {}},
        {550, "5.1.99999999999999999999 x", {}},
        {550, "05.1.1 x", {}},
        {550, "55.1.1 x", {}},
        {550, "#5.1.1 x", {}},
        {550, "user unknown 5.1.1", {}},
    };
    for (const auto& c : cases)
        EXPECT_EQ(parse_enhanced_code(c.code, c.text), c.found) << c.code << ' ' << c.text;
}

TEST(enhanced_code, comes_from_the_first_line)
{
    EXPECT_EQ(read("550-5.1.1 a\r\n550 5.7.1 b\r\n").replies.at(0).enhanced(), (enhanced_code{5, 1, 1}));
    EXPECT_EQ(read("550-a\r\n550 5.7.1 b\r\n").replies.at(0).enhanced(), std::nullopt);
    EXPECT_EQ(read("550 5.7.2\r\n").replies.at(0).lines(), lines{"5.7.2"});
}
