// SPDX-License-Identifier: MIT
// unit/net/trust_anchor: records that may be trust anchors, and what is wrong with the others.
#include "net/trust_anchor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::net {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

const std::string sha1(40, 'a');
const std::string sha256(64, 'B');
const std::string sha384(96, '0');

std::string complaint(const std::string& record)
{
    const auto wrong = check_trust_anchor(record);
    return wrong ? wrong->what : "";
}

TEST(trust_anchor, takes_ds_records)
{
    EXPECT_EQ(complaint(". IN DS 20326 8 2 " + sha256), "");
    EXPECT_EQ(complaint("example.org. DS 1 13 2 " + sha256), "");
    EXPECT_EQ(complaint("example.org\t3600\tin\tds\t1 13 1 " + sha1), "");
    EXPECT_EQ(complaint("example.org. IN 3600 DS 65535 13 4 " + sha384 + "  "), "");
    EXPECT_EQ(complaint("example.org. DS 1 13 2 " + sha256.substr(0, 30) + " " + sha256.substr(30)), "");
    EXPECT_EQ(complaint("example.org. DS 1 13 3 00ff"), "");
}

TEST(trust_anchor, takes_dnskey_records)
{
    EXPECT_EQ(complaint("example.org. 3600 IN DNSKEY 257 3 13 AAAA"), "");
    EXPECT_EQ(complaint("example.org. dnskey 257 3 13 AAAA BBBB CC+/ D0=="), "");
}

TEST(trust_anchor, says_what_is_wrong_with_a_ds_record)
{
    EXPECT_THAT(complaint("example.org. DS 1 13 2"), HasSubstr("key tag, an algorithm"));
    EXPECT_THAT(complaint("example.org. DS 65536 13 2 " + sha256), HasSubstr("key tag is a number"));
    EXPECT_THAT(complaint("example.org. DS -1 13 2 " + sha256), HasSubstr("key tag is a number"));
    EXPECT_THAT(complaint("example.org. DS 1 256 2 " + sha256), HasSubstr("algorithm is a number"));
    EXPECT_THAT(complaint("example.org. DS 1 13 x " + sha256), HasSubstr("digest type is a number"));
    EXPECT_THAT(complaint("example.org. DS 1 13 2 " + sha1), HasSubstr("length"));
    EXPECT_THAT(complaint("example.org. DS 1 13 3 00f"), HasSubstr("even number"));
    EXPECT_THAT(complaint("example.org. DS 1 13 3 00fg"), HasSubstr("hexadecimal"));
}

TEST(trust_anchor, says_what_is_wrong_with_a_dnskey_record)
{
    EXPECT_THAT(complaint("example.org. DNSKEY 257 3 13"), HasSubstr("flags, a protocol"));
    EXPECT_THAT(complaint("example.org. DNSKEY 70000 3 13 AAAA"), HasSubstr("flags are a number"));
    EXPECT_THAT(complaint("example.org. DNSKEY 257 2 13 AAAA"), HasSubstr("protocol"));
    EXPECT_THAT(complaint("example.org. DNSKEY 257 3 300 AAAA"), HasSubstr("algorithm"));
    for (const char* key : {"AAA", "A===", "====", "AA=A", "AAA-", "AAAAA"}) {
        EXPECT_THAT(complaint("example.org. DNSKEY 257 3 13 "s + key), HasSubstr("base64")) << key;
    }
}

TEST(trust_anchor, takes_one_record_and_nothing_else)
{
    EXPECT_THAT(complaint(""), HasSubstr("empty"));
    EXPECT_THAT(complaint(" \t "), HasSubstr("empty"));
    EXPECT_THAT(complaint("example.org."), HasSubstr("neither"));
    EXPECT_THAT(complaint("example.org. IN A 192.0.2.1"), HasSubstr("neither"));
    EXPECT_THAT(complaint("example.org. IN IN DS 1 13 2 " + sha256), HasSubstr("neither"));
    EXPECT_THAT(complaint("example.org. 1 IN 1 DS 1 13 2 " + sha256), HasSubstr("neither"));
    EXPECT_FALSE(complaint("a..b DS 1 13 2 " + sha256).empty());
    for (const char* more : {"\nexample.com. DS", " ; mine", " (", "\r"}) {
        EXPECT_THAT(complaint("example.org. DS 1 13 2 " + sha256 + more), HasSubstr("one line")) << more;
    }
    EXPECT_THAT(complaint(std::string(5000, 'x')), HasSubstr("4096 octets"));
}

TEST(trust_anchor, says_where_it_is_wrong)
{
    EXPECT_EQ(check_trust_anchor("x. DS y 13 2 " + sha256)->at, 6u);
    EXPECT_EQ(check_trust_anchor("x. IN 5 A")->at, 8u);
}

} // namespace
} // namespace postrider::net
