// SPDX-License-Identifier: MIT
// smtp/address_test: what is an address, what is none and why, and that none can hold a line end.

#include "postrider/address.hpp"

#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <stdexcept>

using namespace postrider;
using namespace std::string_view_literals;
using testing::HasSubstr;

namespace {

// Printing and reading again changes nothing, whichever form is printed.
void expect_survives_printing(const address& a)
{
    for (const bool utf8 : {false, true}) {
        const auto printed = a.to_string(utf8);
        const auto again = address::parse(printed);
        ASSERT_TRUE(again) << base::escaped(printed) << ": " << again.problem().what;
        EXPECT_EQ(*again, a) << printed;
        EXPECT_EQ(again->to_string(utf8), printed);
    }
}

} // namespace

TEST(address, is_read_into_its_parts_and_printed_from_them)
{
    const struct {
        std::string_view text, local, domain, printed;
    } cases[] = {
        {"ann@example.org", "ann", "example.org", "ann@example.org"},
        {"Ann@Example.ORG.", "Ann", "Example.ORG", "Ann@example.org"},
        {"a@localhost", "a", "localhost", "a@localhost"},
        {"a.b.c@x", "a.b.c", "x", "a.b.c@x"},
        {"!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~", "x", "!#$%&'*+-/=?^_`{|}~@x"},
        {"-oQ/tmp@x", "-oQ/tmp", "x", "-oQ/tmp@x"},
        {"\"ann\"@x", "ann", "x", "ann@x"},
        {"\"\\a\\n\\n\"@x", "ann", "x", "ann@x"},
        {"\"Joe\\,Blow\"@x", "Joe,Blow", "x", "\"Joe,Blow\"@x"},
        {"\"ann b\"@x", "ann b", "x", "\"ann b\"@x"},
        {"\"a@b\"@c", "a@b", "c", "\"a@b\"@c"},
        {"\"a..b\"@x", "a..b", "x", "\"a..b\"@x"},
        {"\".a\"@x", ".a", "x", "\".a\"@x"},
        {"\"a\\\"b\\\\c\"@x", "a\"b\\c", "x", "\"a\\\"b\\\\c\"@x"},
        {"\"<>()[],;:\"@x", "<>()[],;:", "x", "\"<>()[],;:\"@x"},
        {"\"\"@x", "", "x", "\"\"@x"},
        {"\" \"@x", " ", "x", "\" \"@x"},
        {"a@[192.0.2.1]", "a", "[192.0.2.1]", "a@[192.0.2.1]"},
        {"a@[IPv6:2001:DB8::1]", "a", "[IPv6:2001:DB8::1]", "a@[IPv6:2001:db8::1]"},
        {"a@[x400:c=us@]", "a", "[x400:c=us@]", "a@[x400:c=us@]"},
        {"jürgen@bücher.example", "jürgen", "bücher.example", "jürgen@xn--bcher-kva.example"},
        {"\"jür gen\"@x", "jür gen", "x", "\"jür gen\"@x"},
        {"用户@例子.example", "用户", "例子.example", "用户@xn--fsqu00a.example"},
    };
    for (const auto& c : cases) {
        const auto a = address::parse(c.text);
        ASSERT_TRUE(a) << c.text << ": " << a.problem().what;
        EXPECT_EQ(a->local_part(), c.local);
        EXPECT_EQ(a->domain(), c.domain);
        EXPECT_EQ(a->to_string(), c.printed);
        expect_survives_printing(*a);
    }
}

TEST(address, is_refused_with_a_reason_and_a_place)
{
    const struct {
        std::string_view text;
        std::size_t at;
        std::string_view what;
    } cases[] = {
        {"", 0, "nothing stands where an address should"},
        {"ann", 3, "there is no @"},
        {"ann b", 5, "there is no @"},
        {"\"ann\"", 5, "there is no @"},
        {"@", 0, "the local part is missing"},
        {"@x", 0, "the local part is missing"},
        {"@a,@b:c@d", 0, "the local part is missing"}, // a source route
        {"a@", 2, "the domain is missing"},
        {"a@b@c", 3, "an @ at octet 3: one address is expected"},
        {"a@@c", 2, "an @ at octet 2"},
        {"\"a\"@b@c", 5, "an @ at octet 5"},
        {"ann b@c", 3, "a space at octet 3: put the local part in quotes"},
        {" a@c", 0, "a space at octet 0"},
        {"a @c", 1, "a space at octet 1"},
        {"a@c ", 3, "a space at octet 3: a domain has letters, digits, hyphens and dots"},
        {"a@ c", 2, "a space at octet 2"},
        {".a@c", 0, "a dot at octet 0: put the local part in quotes"},
        {"a.@c", 1, "a dot at octet 1"},
        {"a..b@c", 2, "a dot at octet 2"},
        {".@c", 0, "a dot at octet 0"},
        {"a\\@c", 1, "a backslash at octet 1"},
        {"a\"b\"@c", 1, "a quote at octet 1"},
        {"\"a\".b@c", 3, "a dot at octet 3: an @ must follow the closing quote"},
        {"\"a\" @c", 3, "a space at octet 3: an @ must follow the closing quote"},
        {"\"a\"b@c", 3, "'b' at octet 3"},
        {"\"a@c", 0, "the quote at octet 0 is not closed"},
        {"\"a\\\"@c", 0, "the quote at octet 0 is not closed"},
        {"\"a\\", 0, "the quote at octet 0 is not closed"},
        {"\"", 0, "the quote at octet 0 is not closed"},
        {"<a@c>", 0, "'<' at octet 0: give the address alone"},
        {"a@c>", 3, "'>' at octet 3: give the address without angle brackets"},
        {"Ann <a@c>", 3, "a space at octet 3"},
        {"Ann<a@c>", 3, "'<' at octet 3: give the address alone"},
        {"a@c,b@d", 3, "',' at octet 3: one address is expected"},
        {"a,b@d", 1, "',' at octet 1"},
        {"a(comment)@c", 1, "'(' at octet 1"},
        {"a@c(comment)", 3, "'(' at octet 3"},
        {"a@.c", 2, "a dot at octet 2"},
        {"a@c..d", 4, "a dot at octet 4"},
        {"a@c..", 3, "a dot at octet 3"},
        {"a@-c", 2, "\"-c\" at octet 2: a hyphen"},
        {"a@192.0.2.1", 2, "an IPv4 address stands in brackets: [192.0.2.1]"},
        {"a@[192.0.2.1", 2, "the address literal at octet 2 lacks its closing bracket"},
        {"a@b[192.0.2.1]", 3, "'[' at octet 3"},
        {"a@☃.c", 2, "at octet 2: it holds a character that IDNA 2008 does not allow"},
        {"jür\xffgen@c", 4, "an octet that is not UTF-8 (\\xff) at octet 4"},
        {"a\xc2\x9b@c", 1, "a control character (\\xc2\\x9b) at octet 1"},
        {"\"a\xc2\x9b\"@c", 2, "a control character (\\xc2\\x9b) at octet 2"},
        {"\"a\\ü\"@c", 3, "a backslash goes before printable ASCII"},
    };
    for (const auto& c : cases) {
        const auto a = address::parse(c.text);
        ASSERT_FALSE(a) << base::escaped(c.text) << " became " << a->to_string();
        EXPECT_THAT(a.problem().what, HasSubstr(std::string(c.what))) << base::escaped(c.text);
        EXPECT_EQ(a.problem().at, c.at) << base::escaped(c.text) << ": " << a.problem().what;
    }
}

// CVE-2015-9096, CVE-2025-7962, CVE-2026-30227 and their family: a line end in an address, quoted
// or not, became a command.
TEST(address, holds_no_control_character_anywhere)
{
    for (int octet = 0; octet < 0x100; ++octet) {
        if (octet >= 0x20 && octet < 0x7f)
            continue;
        const std::string c(1, static_cast<char>(octet));
        for (const auto& text : {c + "a@c", "a" + c + "@c", "a@" + c + "c", "a@c" + c, "\"" + c + "\"@c",
                                 "\"a\\" + c + "\"@c", "\"a\"" + c + "@c", "a@[" + c + "192.0.2.1]",
                                 "a@[IPv6:::1" + c + "]", "a@[x:" + c + "]", "a@[x:y]" + c, "a@c." + c})
            EXPECT_FALSE(address::parse(text)) << base::escaped(text);
    }
    for (const auto text : {"\"a\r\nRCPT TO:<b@c>\r\n\"@d"sv, "a@d>\r\nRCPT TO:<b@c"sv, "\"a\\\r\\\nb\"@c"sv,
                            "a\r\n b@c"sv, "\"a\r\n b\"@c"sv, "a@[192.0.2.1\r\n]"sv, "a@b\0c"sv})
        EXPECT_FALSE(address::parse(text)) << base::escaped(text);
}

TEST(address, problems_are_safe_to_show)
{
    for (const auto text :
         {"a@\x1b[2J"sv, "a\x1b[2J@b"sv, "a\xe2\x80\xae b@c"sv, "a@\xe2\x80\xae"sv, "\xff@c"sv}) {
        const auto a = address::parse(text);
        ASSERT_FALSE(a);
        EXPECT_EQ(a.problem().what.find('\x1b'), std::string::npos);
        EXPECT_EQ(a.problem().what.find("\xe2\x80\xae"), std::string::npos);
        EXPECT_TRUE(base::is_utf8(a.problem().what));
    }
    EXPECT_LT(address::parse("a@" + std::string(900, 'x')).problem().what.size(), 200u);
}

TEST(address, keeps_to_the_limits)
{
    const auto times = [](std::size_t n, char c) { return std::string(n, c); };
    EXPECT_TRUE(address::parse(times(64, 'a') + "@x"));
    EXPECT_THAT(address::parse(times(65, 'a') + "@x").problem().what,
                HasSubstr("at most 64 octets, this has 65"));
    EXPECT_TRUE(address::parse('"' + times(62, ' ') + "\"@x"));
    EXPECT_FALSE(address::parse('"' + times(63, ' ') + "\"@x")) << "quotes are octets too";
    EXPECT_TRUE(address::parse('"' + times(64, 'a') + "\"@x")) << "unless they need not be";

    const auto label = times(62, 'd') + '.';
    const auto domain = label + label + label; // 189 octets with its dot
    EXPECT_TRUE(address::parse(times(64, 'a') + '@' + domain));
    EXPECT_EQ(address(times(64, 'a') + '@' + domain).to_string().size(), 253u);
    EXPECT_EQ(address(times(63, 'a') + '@' + domain + 'x').to_string().size(), 254u);
    EXPECT_THAT(address::parse(times(64, 'a') + '@' + domain + 'x').problem().what,
                HasSubstr("at most 254 octets, this has 255"));
    EXPECT_FALSE(address::parse(times(10'000'000, 'a')));
    EXPECT_FALSE(address::parse(times(10'000'000, '"')));
}

TEST(address, throws_its_problem_when_constructed)
{
    try {
        const address a("ann b@c");
        FAIL() << a.to_string();
    } catch (const std::invalid_argument& e) {
        EXPECT_STREQ(e.what(), "a space at octet 3: put the local part in quotes");
    }
}

TEST(address, needs_smtputf8_for_its_local_part_only)
{
    EXPECT_FALSE(address("ann@bücher.example").needs_smtputf8());
    EXPECT_TRUE(address("jürgen@example.org").needs_smtputf8());
    EXPECT_EQ(address("ann@Bücher.example").ascii_domain(), "xn--bcher-kva.example");
    EXPECT_EQ(address("ann@Bücher.example").to_string(true), "ann@Bücher.example");
    EXPECT_EQ(address("ann@Bücher.example").to_string(), "ann@xn--bcher-kva.example");
}

TEST(address, compares_local_parts_exactly_and_domains_in_a_labels)
{
    EXPECT_EQ(address("ann@EXAMPLE.org"), address("ann@example.ORG."));
    EXPECT_EQ(address("\"ann\"@x"), address("ann@x"));
    EXPECT_EQ(address("ann@bücher.example"), address("ann@xn--bcher-kva.example"));
    EXPECT_EQ(address("ann@[ipv6:::A]"), address("ann@[IPv6:::a]"));
    EXPECT_NE(address("Ann@x"), address("ann@x"));
    EXPECT_NE(address("ann@straße.example"), address("ann@strasse.example"));
}

TEST(address, knows_a_literal)
{
    EXPECT_TRUE(address("a@[192.0.2.1]").has_literal());
    EXPECT_FALSE(address("a@example.org").has_literal());
}

// Short texts over the characters that mean something, so that a good share of them is an address.
TEST(address, survives_printing_whatever_it_is)
{
    constexpr std::string_view pieces[] = {
        "a", "b", "1", "ü", ".",  "@",  "\"", "\\", " ",    "-",     "_",
        "[", "]", ":", "<", "\r", "\n", "::", "☃",  "\xff", "IPv6:", "xn--",
    };
    std::minstd_rand random(20260101);
    std::uniform_int_distribution<std::size_t> piece(0, std::size(pieces) - 1);
    std::uniform_int_distribution<int> length(0, 5);
    const auto text = [&] {
        std::string out;
        for (int n = length(random); n > 0; --n)
            out += pieces[piece(random)];
        return out;
    };
    int addresses = 0;
    for (int i = 0; i < 60'000; ++i) {
        const bool quoted = i % 2 == 0;
        const auto a = address::parse(quoted ? '"' + text() + "\"@" + text() : text() + '@' + text());
        if (!a)
            continue;
        ++addresses;
        expect_survives_printing(*a);
        EXPECT_EQ(a->to_string(true).find_first_of("\r\n\0"sv), std::string::npos);
    }
    EXPECT_GT(addresses, 500);
}
