// SPDX-License-Identifier: MIT
// unit/dns/record: the names of types and codes, and addresses as text.

#include "dns/record.hpp"

#include <gtest/gtest.h>

namespace postrider::dns {
namespace {

std::string again(std::string_view ipv6) { return to_string(parse_aaaa(ipv6).value()); }

TEST(dns_record, types_and_codes_have_names_or_numbers)
{
    EXPECT_EQ(to_string(type::mx), "MX");
    EXPECT_EQ(to_string(type::tlsa), "TLSA");
    EXPECT_EQ(to_string(static_cast<type>(99)), "TYPE99");
    EXPECT_EQ(to_string(rcode::name_error), "NXDOMAIN");
    EXPECT_EQ(to_string(rcode::server_failure), "SERVFAIL");
    EXPECT_EQ(to_string(static_cast<rcode>(9)), "RCODE9");
}

TEST(dns_record, ipv4_reads_and_writes)
{
    EXPECT_EQ(to_string(parse_a("192.0.2.1").value()), "192.0.2.1");
    EXPECT_EQ(to_string(parse_a("0.0.0.0").value()), "0.0.0.0");
    EXPECT_EQ(to_string(parse_a("255.255.255.255").value()), "255.255.255.255");
}

TEST(dns_record, ipv4_is_four_plain_decimal_numbers)
{
    for (const auto* text :
         {"", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", "01.2.3.4", "1..2.3",
          "1.2.3.4 ", " 1.2.3.4", "0x1.2.3.4", "1.2.3.1000", "-1.2.3.4"})
        EXPECT_FALSE(parse_a(text)) << text;
}

TEST(dns_record, ipv6_is_written_as_rfc_5952_has_it)
{
    EXPECT_EQ(again("2001:0DB8:0000:0000:0000:0000:0000:0001"), "2001:db8::1");
    EXPECT_EQ(again("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1"); // one group is not shortened
    EXPECT_EQ(again("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");    // the first of equal runs
    EXPECT_EQ(again("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");          // the longest run
    EXPECT_EQ(again("0:0:0:0:0:0:0:0"), "::");
    EXPECT_EQ(again("::1"), "::1");
    EXPECT_EQ(again("1::"), "1::");
    EXPECT_EQ(again("1:2:3:4:5:6:0:0"), "1:2:3:4:5:6::");
    EXPECT_EQ(again("0:0:3:4:5:6:7:8"), "::3:4:5:6:7:8");
    EXPECT_EQ(again("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
    EXPECT_EQ(again("::192.0.2.1"), "::c000:201");
    EXPECT_EQ(again("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
}

TEST(dns_record, ipv6_nonsense_is_refused)
{
    for (const auto* text :
         {"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
          "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "12345::", "g::", "::1%eth0", "1:2:3:4::5:6:7:8", "::1.2.3",
          "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", ":1::", " ::1"})
        EXPECT_FALSE(parse_aaaa(text)) << text;
}

} // namespace
} // namespace postrider::dns
