// SPDX-License-Identifier: MIT
// unit/net/unbound_answer: what libunbound says, as an answer that policy can rely on.
#include "net/unbound_answer.hpp"

#include "dns/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto rrsig = static_cast<dns::type>(46);

dns::name name(std::string_view text) { return dns::name::parse(text).value(); }

dns::record mx(std::uint32_t ttl)
{
    return {name("example.org"), dns::type::mx, ttl, dns::mx_data{10, name("mx.example.org")}};
}

dns::record cname(std::uint32_t ttl)
{
    return {name("www.example.org"), dns::type::cname, ttl, dns::cname_data{name("example.org")}};
}

dns::record signature(std::uint32_t ttl)
{
    return {name("example.org"), rrsig, ttl, dns::unknown_data{{1, 2, 3}}};
}

dns::record soa(std::uint32_t ttl, std::uint32_t minimum)
{
    return {name("example.org"), dns::type::soa, ttl,
            dns::soa_data{name("ns.example.org"), name("host.example.org"), 1, 2, 3, 4, minimum}};
}

class unbound_answer : public testing::Test {
protected:
    dns::answer read(int security = 0, dns::type kind = dns::type::mx, std::string_view why = {})
    {
        message.response = true;
        const auto octets = dns::serialize(message);
        return read_unbound_reply({0, octets, security, why}, kind);
    }

    dns::message message;
};

TEST_F(unbound_answer, carries_records_and_whether_they_were_validated)
{
    message.answers = {mx(300)};
    EXPECT_EQ(read(0).trust, dns::security::insecure);
    const dns::answer a = read(2);
    EXPECT_EQ(a.trust, dns::security::secure);
    EXPECT_EQ(a.status, dns::lookup_status::answered);
    EXPECT_EQ(a.code, dns::rcode::no_error);
    ASSERT_EQ(a.records.size(), 1u);
    EXPECT_EQ(std::get<dns::mx_data>(a.records[0].data).preference, 10);
    EXPECT_EQ(a.ttl, 300s);
}

TEST_F(unbound_answer, keeps_aliases_and_leaves_signatures_out)
{
    message.answers = {cname(60), signature(5), mx(300), signature(5)};
    const dns::answer a = read();
    ASSERT_EQ(a.records.size(), 2u);
    EXPECT_EQ(a.records[0].kind, dns::type::cname);
    EXPECT_EQ(a.records[1].kind, dns::type::mx);
    EXPECT_EQ(a.ttl, 60s);
}

TEST_F(unbound_answer, any_means_everything_but_signatures)
{
    message.answers = {mx(300), soa(100, 7), signature(5)};
    const dns::answer a = read(0, dns::type::any);
    EXPECT_EQ(a.records.size(), 2u);
    EXPECT_EQ(a.ttl, 100s);
}

TEST_F(unbound_answer, no_such_name_may_be_kept_as_the_zone_says)
{
    message.code = dns::rcode::name_error;
    message.authorities = {signature(1), soa(3600, 300)};
    const dns::answer a = read(2);
    EXPECT_EQ(a.code, dns::rcode::name_error);
    EXPECT_EQ(a.trust, dns::security::secure);
    EXPECT_EQ(a.ttl, 300s);
    message.authorities = {soa(30, 300)};
    EXPECT_EQ(read().ttl, 30s);
    message.authorities = {};
    EXPECT_EQ(read().ttl, 0s);
}

TEST_F(unbound_answer, an_alias_of_nothing_may_be_kept_as_long_as_the_nothing)
{
    message.answers = {cname(600)};
    message.authorities = {soa(3600, 300)};
    EXPECT_EQ(read().ttl, 300s);
    message.answers = {cname(60)};
    EXPECT_EQ(read().ttl, 60s);
}

TEST_F(unbound_answer, what_is_bogus_is_not_there_to_be_used)
{
    message.answers = {mx(300)};
    const dns::answer a = read(1, dns::type::mx, "signature\r\nexpired");
    EXPECT_EQ(a.status, dns::lookup_status::answered);
    EXPECT_EQ(a.trust, dns::security::bogus);
    EXPECT_EQ(a.code, dns::rcode::server_failure);
    EXPECT_TRUE(a.records.empty());
    EXPECT_EQ(a.ttl, 0s);
    EXPECT_EQ(a.why, "signature\\r\\nexpired");
}

TEST_F(unbound_answer, a_failure_has_a_code_and_nothing_to_read)
{
    const std::vector<std::uint8_t> rubbish = {1, 2, 3};
    const dns::answer a = read_unbound_reply({2, rubbish, 0, {}}, dns::type::mx);
    EXPECT_EQ(a.status, dns::lookup_status::answered);
    EXPECT_EQ(a.code, dns::rcode::server_failure);
    EXPECT_EQ(a.trust, dns::security::insecure);
    EXPECT_FALSE(a.why.empty());
}

TEST_F(unbound_answer, a_packet_that_cannot_be_read_is_no_answer)
{
    const std::vector<std::uint8_t> rubbish = {1, 2, 3};
    for (const int security : {0, 2}) {
        const dns::answer a = read_unbound_reply({0, rubbish, security, {}}, dns::type::mx);
        EXPECT_EQ(a.status, dns::lookup_status::unreachable);
        EXPECT_EQ(a.code, dns::rcode::server_failure);
        EXPECT_EQ(a.trust, dns::security::insecure);
        EXPECT_THAT(a.why, HasSubstr("cannot be read"));
    }
}

} // namespace
} // namespace postrider::net
