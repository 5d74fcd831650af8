// SPDX-License-Identifier: MIT
// unit/net/tls_identity: the forms in which a host is given.
#include "net/tls_identity.hpp"

#include <gtest/gtest.h>

namespace postrider::net {
namespace {

TEST(tls_identity, names)
{
    const auto who = tls_identity::parse("Mail.Example.ORG.");
    ASSERT_TRUE(who);
    EXPECT_EQ(who->text(), "mail.example.org");
    EXPECT_FALSE(who->is_address());
    EXPECT_EQ(tls_identity::parse("b\xc3\xbc"
                                  "cher.example")
                  ->text(),
              "xn--bcher-kva.example");
    EXPECT_EQ(tls_identity::parse("localhost")->text(), "localhost");
}

TEST(tls_identity, addresses)
{
    for (const char* text : {"192.0.2.1", "[192.0.2.1]"}) {
        const auto who = tls_identity::parse(text);
        ASSERT_TRUE(who) << text;
        EXPECT_EQ(who->text(), "192.0.2.1");
        EXPECT_TRUE(who->is_address());
    }
    for (const char* text : {"2001:db8::1", "[2001:DB8::1]", "[IPv6:2001:db8:0::1]", "[ipv6:2001:db8::1]"}) {
        const auto who = tls_identity::parse(text);
        ASSERT_TRUE(who) << text;
        EXPECT_EQ(who->text(), "2001:db8::1");
        EXPECT_TRUE(who->is_address());
    }
}

TEST(tls_identity, what_no_certificate_is_for)
{
    for (const std::string_view text :
         {std::string_view(), std::string_view("a..b"), std::string_view("a b"), std::string_view("a\0b", 3),
          std::string_view("[tag:x]y"), std::string_view("*.example.org")})
        EXPECT_FALSE(tls_identity::parse(text)) << text;
    EXPECT_FALSE(tls_identity::parse(std::string(300, 'a')));
}

} // namespace
} // namespace postrider::net
