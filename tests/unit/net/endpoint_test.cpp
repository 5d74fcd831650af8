// SPDX-License-Identifier: MIT
// unit/net/endpoint: the text form, read and written, and what is refused.
#include "net/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::net {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;

std::string round_trip(std::string_view text) { return endpoint::parse(text).value().to_string(); }

std::string complaint(std::string_view text)
{
    const auto parsed = endpoint::parse(text);
    return parsed ? "taken as " + parsed->to_string() : parsed.problem().what;
}

TEST(endpoint, reads_an_ipv4_address_and_a_port)
{
    const endpoint e = endpoint::parse("192.0.2.1:25").value();
    EXPECT_TRUE(e.is_v4());
    EXPECT_FALSE(e.is_v6());
    EXPECT_FALSE(e.is_unix());
    EXPECT_EQ(e.address().to_string(), "192.0.2.1");
    EXPECT_EQ(e.port(), 25);
}

TEST(endpoint, reads_an_ipv6_address_in_brackets)
{
    const endpoint e = endpoint::parse("[2001:DB8:0:0::1]:65535").value();
    EXPECT_TRUE(e.is_v6());
    EXPECT_EQ(e.port(), 65535);
    EXPECT_EQ(e.to_string(), "[2001:db8::1]:65535");
}

TEST(endpoint, reads_a_unix_socket)
{
    const endpoint e = endpoint::parse("unix:/run/dovecot/lmtp").value();
    EXPECT_TRUE(e.is_unix());
    EXPECT_FALSE(e.is_v4());
    EXPECT_FALSE(e.is_v6());
    EXPECT_EQ(e.path(), "/run/dovecot/lmtp");
}

TEST(endpoint, writes_what_it_reads)
{
    for (const char* text :
         {"192.0.2.1:25", "0.0.0.0:0", "[::1]:2525", "[::ffff:192.0.2.1]:25", "unix:/a b"}) {
        EXPECT_EQ(round_trip(text), text);
        EXPECT_EQ(endpoint::parse(text).value(), endpoint::parse(round_trip(text)).value());
    }
    EXPECT_FALSE(endpoint::parse("192.0.2.1:25").value() == endpoint::parse("192.0.2.1:26").value());
    EXPECT_FALSE(endpoint::parse("192.0.2.1:25").value() == endpoint::parse("unix:/x").value());
}

TEST(endpoint, takes_the_default_port_where_none_is_given)
{
    EXPECT_EQ(endpoint::parse("192.0.2.1", 53).value().to_string(), "192.0.2.1:53");
    EXPECT_EQ(endpoint::parse("2001:db8::1", 53).value().to_string(), "[2001:db8::1]:53");
    EXPECT_EQ(endpoint::parse("[2001:db8::1]", 53).value().to_string(), "[2001:db8::1]:53");
    EXPECT_EQ(endpoint::parse("192.0.2.1:5353", 53).value().to_string(), "192.0.2.1:5353");
}

TEST(endpoint, says_what_is_wrong)
{
    EXPECT_THAT(complaint("192.0.2.1"), HasSubstr("the port is missing"));
    EXPECT_THAT(complaint("[2001:db8::1]"), HasSubstr("the port is missing"));
    EXPECT_THAT(complaint("2001:db8::1:25"), HasSubstr("the port is missing"));
    for (const char* text : {"192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:+1", "192.0.2.1: 25",
                             "192.0.2.1:25 ", "192.0.2.1:0x19", "[::1]:"}) {
        EXPECT_THAT(complaint(text), HasSubstr("a number from 0 to 65535")) << text;
    }
    for (const char* text : {"", ":25", "localhost:25", "192.0.2:25", "192.0.2.01x:25", "300.0.2.1:25",
                             "[]:25", "[::1", "[:::1]:25", "[192.0.2.1]:25", "[::1]25", " 192.0.2.1:25"}) {
        EXPECT_THAT(complaint(text), HasSubstr("is not an address and a port")) << text;
    }
    EXPECT_THAT(complaint("192.0.2.1\0:25"sv), HasSubstr("is expected"));
    EXPECT_THAT(complaint("evil\r\nhost:25"), HasSubstr("evil\\r\\nhost"));
}

TEST(endpoint, says_where_it_is_wrong)
{
    EXPECT_EQ(endpoint::parse("192.0.2.1:x").problem().at, 10u);
    EXPECT_EQ(endpoint::parse("[::1]:x").problem().at, 6u);
    EXPECT_EQ(endpoint::parse("unix:x").problem().at, 5u);
}

TEST(endpoint, bounds_the_path_of_a_socket)
{
    const std::string longest = "unix:/" + std::string(socket_path_octets_max - 1, 'x');
    EXPECT_EQ(round_trip(longest), longest);
    EXPECT_THAT(complaint(longest + "x"), HasSubstr("107 octets"));
    EXPECT_THAT(complaint("unix:"), HasSubstr("must begin with a slash"));
    EXPECT_THAT(complaint("unix:relative"), HasSubstr("must begin with a slash"));
    EXPECT_THAT(complaint("unix:/a\0b"sv), HasSubstr("NUL"));
}

} // namespace
} // namespace postrider::net
