// SPDX-License-Identifier: MIT
// smtp/domain_test: names, U-labels and A-labels, and literals.

#include "smtp/domain.hpp"

#include "base/text.hpp"
#include "postrider/address.hpp"
#include "smtp/address_literal.hpp"
#include "smtp/idn.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace postrider;
using namespace std::string_view_literals;
using testing::HasSubstr;

TEST(domain, is_given_back_in_ascii)
{
    const struct {
        std::string_view text, ascii;
    } cases[] = {
        {"example.org", "example.org"},
        {"Example.ORG", "example.org"},
        {"example.org.", "example.org"},
        {"localhost", "localhost"},
        {"a", "a"},
        {"mx_1._tcp.example.org", "mx_1._tcp.example.org"},
        {"r3---sn-4g5e.example", "r3---sn-4g5e.example"},
        {"3com.example", "3com.example"},
        {"192.0.2.example", "192.0.2.example"},
        {"bücher.example", "xn--bcher-kva.example"},
        {"BÜCHER.example", "xn--bcher-kva.example"},
        {"bu\u0308cher.example", "xn--bcher-kva.example"}, // decomposed
        {"straße.example", "xn--strae-oqa.example"},       // non-transitional: no strasse
        {"faß.de", "xn--fa-hia.de"},
        {"日本語.例え", "xn--wgv71a119e.xn--r8jz45g"},
        {"क्\u200dष.example", "xn--11b2ezcw70k.example"}, // a joiner where Devanagari has one
        {"ｅｘａｍｐｌｅ.org", "example.org"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
        {"[192.0.2.1]", "[192.0.2.1]"},
        {"[IPv6:2001:DB8::1]", "[IPv6:2001:db8::1]"},
        {"[ipv6:::1]", "[IPv6:::1]"},
        {"[x-Tag:Any!thing@.]", "[x-Tag:Any!thing@.]"},
    };
    for (const auto& c : cases) {
        const auto parsed = parse_domain(c.text);
        ASSERT_TRUE(parsed) << c.text << ": " << parsed.problem().what;
        EXPECT_EQ(*parsed, c.ascii);
        EXPECT_EQ(*parse_domain(*parsed), c.ascii) << "the ASCII form stands for itself";
    }
}

TEST(domain, is_refused_with_a_reason_and_a_place)
{
    const struct {
        std::string_view text;
        std::size_t at;
        std::string_view what;
    } cases[] = {
        {"", 0, "the domain is missing"},
        {".", 0, "a dot at octet 0: no part of a domain is empty"},
        {"..", 0, "a dot at octet 0"},
        {".a", 0, "a dot at octet 0"},
        {"a..b", 2, "a dot at octet 2"},
        {"a..", 1, "a dot at octet 1"},
        {"ü..b", 3, "a dot at octet 3"}, // taken by libidn2
        {"-a.example", 0, "\"-a\" at octet 0: a hyphen"},
        {"b.a-.example", 2, "\"a-\" at octet 2: a hyphen"},
        {"-ü", 0, "a hyphen"},
        {"a b", 1, "a space at octet 1: a domain has letters"},
        {" a", 0, "a space at octet 0"},
        {"a\r\nRCPT TO:<b@c>", 1, "a carriage return at octet 1"},
        {"a\n", 1, "a line feed at octet 1"},
        {"a\0b"sv, 1, "a NUL at octet 1"},
        {"a\x7f", 1, "a control character (\\x7f) at octet 1"},
        {"ü\xc2\x85", 2, "a control character (\\xc2\\x85) at octet 2"},
        {"a\xff.b", 1, "an octet that is not UTF-8 (\\xff) at octet 1"},
        {"a/b", 1, "'/' at octet 1"},
        {"a,b", 1, "one address is expected"},
        {"192.0.2.1", 0, "an IPv4 address stands in brackets: [192.0.2.1]"},
        {"192.0.2.1.", 0, "an IPv4 address stands in brackets: [192.0.2.1]"},
        {"2001:db8::1", 4, "an IPv6 address stands in brackets"},
        {"☃.example", 0, "does not allow"},
        {"a.i❤.example", 2, "\"i❤\" at octet 2"},
        {"xn--n3h.example", 0, "does not allow"}, // the snowman's A-label
        {"a.XN--N3H", 2, "does not allow"},
        {"xn--", 0, "xn--"},
        {"xn--abc-", 0, "a hyphen"},
        {"xn--zzzzzzzzzz99999999", 0, "xn--zzzzzzzzzz99999999"},
        {"xn--bcher-kv8", 0, "not Punycode"},
        {"xn----eha", 0, "a hyphen may not begin or end it"}, // -ü
        {"ab--ü", 0, "hyphens in the third and fourth place"},
        {"\u0301a", 0, "combining mark"},
        {"a\u200db", 0, "may not stand in this place"},
        {"\u05d0a", 0, "directions"},
        {"ü_b", 0, "does not allow"},
        {"a\u3002b", 0, "does not stand for one part"}, // a full stop by another name
        {"a\uff20b", 0, "does not stand for one part"}, // an @ by another name
        {"\u2100", 0, "does not stand for one part"},   // a/c
        {"\u2488com", 0, "does not allow"},             // 1.com
        {"a.\u00ad", 2, "does not stand for one part"}, // nothing at all
        {"[", 0, "lacks its closing bracket"},
        {"[]", 0, "is neither an IPv4 address"},
        {"[192.0.2.1", 0, "lacks its closing bracket"},
        {"[192.0.2.1]x", 11, "nothing may follow"},
        {"[192.0.2.1].", 11, "nothing may follow"},
        {"[192.0.2 .1]", 8, "a space at octet 8"},
        {"[192.0.2.1\r\n]", 10, "a carriage return at octet 10"},
        {"[x:a\0]"sv, 4, "a NUL at octet 4"},
        {"[x:a[b]", 4, "'[' at octet 4"},
        {"[x:a\\b]", 4, "a backslash at octet 4"},
        {"[x:ü]", 3, "'ü' at octet 3"},
        {"[2001:db8::1]", 0, "lacks its tag: [IPv6:2001:db8::1]"},
        {"[IPv6:2001:db8::g]", 0, "is not an IPv6 address"},
        {"[IPv6:]", 0, "is not an IPv6 address"},
        {"[IPv6:192.0.2.1]", 0, "is not an IPv6 address"},
        {"[x-:a]", 0, "is not of the form"},
        {"[:a]", 0, "is not of the form"},
        {"[x:]", 0, "is not of the form"},
        {"[x_y:a]", 0, "is not of the form"},
    };
    for (const auto& c : cases) {
        const auto parsed = parse_domain(c.text);
        ASSERT_FALSE(parsed) << base::escaped(c.text) << " became " << *parsed;
        EXPECT_THAT(parsed.problem().what, HasSubstr(std::string(c.what))) << base::escaped(c.text);
        EXPECT_EQ(parsed.problem().at, c.at) << base::escaped(c.text) << ": " << parsed.problem().what;
    }
}

TEST(domain, has_bounds)
{
    const std::string label(63, 'a');
    EXPECT_TRUE(parse_domain(label));
    EXPECT_FALSE(parse_domain(label + 'a'));
    const auto longest = label + '.' + label + '.' + label + '.' + std::string(61, 'a');
    EXPECT_EQ(parse_domain(longest)->size(), 253u);
    EXPECT_TRUE(parse_domain(longest + '.'));
    EXPECT_THAT(parse_domain(longest + 'a').problem().what, HasSubstr("at most 253 octets, this has 254"));
    EXPECT_FALSE(parse_domain("[x:" + std::string(252, 'a') + ']'));
    EXPECT_TRUE(parse_domain("[x:" + std::string(251, 'a') + ']'));
    EXPECT_FALSE(parse_domain(std::string(10'000'000, 'a')));
    std::string umlauts;
    for (int i = 0; i < 100; ++i)
        umlauts += "ü";
    EXPECT_THAT(parse_domain(umlauts).problem().what, HasSubstr("more than 63 octets"));
}

TEST(address_literal, knows_ipv4)
{
    for (const auto good : {
             "0.0.0.0",
             "255.255.255.255",
             "192.0.2.1",
             "1.10.100.200",
         })
        EXPECT_TRUE(smtp::is_ipv4(good)) << good;
    for (const auto bad : {
             "",
             "1",
             "1.2.3",
             "1.2.3.4.5",
             "1.2.3.",
             ".1.2.3",
             "1..2.3",
             "256.1.1.1",
             "1.1.1.999",
             "1.1.1.1000",
             "01.1.1.1",
             "1.1.1.00",
             "1.1.1.-1",
             "1.1.1.a",
             "1.1.1.1 ",
             "0x1.1.1.1",
         })
        EXPECT_FALSE(smtp::is_ipv4(bad)) << bad;
}

TEST(address_literal, knows_the_four_forms_of_ipv6)
{
    for (const auto good : {
             "1:2:3:4:5:6:7:8",
             "2001:0db8:0000:0000:0000:0000:0000:0001",
             "ABCD:ef01::",
             "::",
             "::1",
             "1::",
             "1::2",
             "1:2:3:4:5:6::",
             "::1:2:3:4:5:6",
             "1:2:3::4:5:6",
             "1:2:3:4:5:6:192.0.2.1",
             "::192.0.2.1",
             "::ffff:192.0.2.1",
             "1:2::3:4:192.0.2.1",
             "1:2:3:4::192.0.2.1",
         })
        EXPECT_TRUE(smtp::is_ipv6(good)) << good;
    for (const auto bad : {
             "",
             ":",
             ":::",
             "1",
             "1:2:3:4:5:6:7",
             "1:2:3:4:5:6:7:8:9",
             "1:2:3:4:5:6:7:",
             ":1:2:3:4:5:6:7",
             "1::2::3",
             ":::1",
             "1:::2",
             "::1:",
             ":1::2",
             "12345::",
             "g::",
             "1:2:3:4:5:6:7::",
             "::1:2:3:4:5:6:7",
             "1:2:3::4:5:6:7",
             "1:2:3:4:5:6:7:192.0.2.1",
             "1:2:3:4:5:192.0.2.1",
             "1:2:3:4:5::192.0.2.1",
             "192.0.2.1::",
             "::192.0.2.1:1",
             "::192.0.2",
             "::192.0.2.256",
             "192.0.2.1",
             "::1%eth0",
             "::1/64",
             " ::1",
         })
        EXPECT_FALSE(smtp::is_ipv6(bad)) << bad;
}

TEST(idn, goes_back_and_forth)
{
    for (const std::string label : {"bücher", "straße", "日本語", "نامه\u200cای", "l·l", "א1"}) {
        const auto ascii = smtp::to_ascii_label(label);
        ASSERT_TRUE(ascii) << label << ": " << ascii.problem().what;
        EXPECT_EQ(*smtp::to_unicode_label(*ascii), label);
    }
}

TEST(idn, takes_no_a_label_that_is_a_detour)
{
    for (const auto a_label : {"xn--abc-", "xn--", "xn---", "xn--BCHER-KVA"})
        EXPECT_FALSE(smtp::to_unicode_label(a_label)) << a_label;
}
