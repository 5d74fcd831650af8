// SPDX-License-Identifier: MIT
// unit/dns/name: names as text and as labels, their limits and their order.

#include "dns/name.hpp"

#include <gtest/gtest.h>

namespace postrider::dns {
namespace {

name of(std::string_view text) { return name::parse(text).value(); }

TEST(dns_name, reads_labels_with_and_without_the_final_dot)
{
    const std::vector<std::string> labels{"mx1", "example", "org"};
    EXPECT_EQ(of("mx1.example.org").labels(), labels);
    EXPECT_EQ(of("mx1.example.org.").labels(), labels);
    EXPECT_EQ(of("mx1.example.org.").to_string(), "mx1.example.org");
}

TEST(dns_name, the_root_is_a_dot)
{
    EXPECT_TRUE(of(".").is_root());
    EXPECT_EQ(name{}.to_string(), ".");
}

TEST(dns_name, refuses_empty_labels)
{
    for (const auto* text : {"", "..", ".org", "a..b", "a.."})
        EXPECT_FALSE(name::parse(text)) << text;
    EXPECT_EQ(name::parse("ab..c").problem().at, 3u);
}

TEST(dns_name, a_label_has_at_most_63_octets)
{
    EXPECT_TRUE(name::parse(std::string(63, 'a') + ".org"));
    EXPECT_FALSE(name::parse(std::string(64, 'a') + ".org"));
    EXPECT_FALSE(name::from_labels({std::string(64, 'a')}));
}

TEST(dns_name, a_name_has_at_most_255_octets_on_the_wire)
{
    std::string text; // 126 labels of one octet and one of two: 1 + 126 * 2 + 3 is 256
    for (int i = 0; i < 126; ++i)
        text += "a.";
    EXPECT_TRUE(name::parse(text + "b"));
    EXPECT_FALSE(name::parse(text + "bb"));
}

TEST(dns_name, escapes_are_understood_and_written_again)
{
    const auto odd = of(R"(a\.b\\.\000\255x.org)");
    ASSERT_EQ(odd.labels().size(), 3u);
    EXPECT_EQ(odd.labels()[0], "a.b\\");
    EXPECT_EQ(odd.labels()[1], std::string("\0\xff", 2) + "x");
    EXPECT_EQ(odd.to_string(), R"(a\.b\\.\000\255x.org)");
}

TEST(dns_name, what_is_not_printable_is_written_as_digits)
{
    const auto odd = name::from_labels({"a b\r\n", "\x7f"}).value();
    EXPECT_EQ(odd.to_string(), R"(a\032b\013\010.\127)");
    EXPECT_EQ(of(odd.to_string()), odd);
}

TEST(dns_name, half_an_escape_is_a_problem_at_its_backslash)
{
    for (const auto* text : {R"(ab\)", R"(ab\1)", R"(ab\12)", R"(ab\12x)", R"(ab\256)"}) {
        const auto read = name::parse(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.problem().at, 2u) << text;
    }
}

TEST(dns_name, names_are_equal_without_case_in_ascii_alone)
{
    EXPECT_EQ(of("MX1.Example.ORG"), of("mx1.example.org"));
    EXPECT_FALSE(of("mx1.example.org") == of("mx2.example.org"));
    EXPECT_FALSE(of("example.org") == of("mx1.example.org"));
    EXPECT_FALSE(of("\\196") == of("\\228")); // Latin-1 capitals and small letters are other octets
    EXPECT_FALSE(of("a\\.b") == of("a.b"));
}

TEST(dns_name, within_means_the_name_or_below_it)
{
    EXPECT_TRUE(of("a.Example.org").is_within(of("example.ORG")));
    EXPECT_TRUE(of("example.org").is_within(of("example.org")));
    EXPECT_TRUE(of("example.org").is_within(name{}));
    EXPECT_FALSE(of("org").is_within(of("example.org")));
    EXPECT_FALSE(of("badexample.org").is_within(of("example.org")));
}

TEST(dns_name, the_order_goes_from_the_root_down)
{
    const std::vector<name> ordered{
        name{},          of("example"),        of("a.example"), of("Z.a.example"), of("zABC.a.EXAMPLE"),
        of("z.example"), of("\\200.z.example")};
    for (std::size_t i = 0; i < ordered.size(); ++i)
        for (std::size_t j = 0; j < ordered.size(); ++j)
            EXPECT_EQ(ordered[i] < ordered[j], i < j) << i << ' ' << j;
}

} // namespace
} // namespace postrider::dns
