// SPDX-License-Identifier: MIT
// unit/policy/mx_order: routes from answers, as DNS gives them and as it should not.

#include "policy/mx_order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace postrider::policy {
namespace {

using testing::ElementsAre;

dns::name of(std::string_view text) { return dns::name::parse(text).value(); }

dns::record mx(std::string_view owner, std::uint16_t preference, std::string_view host)
{
    return {of(owner), dns::type::mx, 300, dns::mx_data{preference, of(host)}};
}

dns::record alias(std::string_view owner, std::string_view target)
{
    return {of(owner), dns::type::cname, 300, dns::cname_data{of(target)}};
}

dns::record a(std::string_view owner, std::string_view address)
{
    return {of(owner), dns::type::a, 300, dns::parse_a(address).value()};
}

dns::record aaaa(std::string_view owner, std::string_view address)
{
    return {of(owner), dns::type::aaaa, 300, dns::parse_aaaa(address).value()};
}

dns::answer holds(std::vector<dns::record> records, dns::security trust = dns::security::insecure)
{
    dns::answer made;
    made.records = std::move(records);
    made.trust = trust;
    made.asked = "192.0.2.53";
    return made;
}

dns::answer says(dns::rcode code)
{
    auto made = holds({});
    made.code = code;
    return made;
}

std::uint32_t last(std::uint32_t bound) { return bound - 1; } // a shuffle that changes nothing

/// The route of `domain` when DNS holds `world`; a name that is not there has no records.
route find(std::string_view domain, const std::map<std::string, dns::answer>& world, mx_options options = {})
{
    mx_lookup lookup(domain, std::move(options));
    for (int questions = 0; const auto question = lookup.next(); ++questions) {
        if (questions > 20) {
            ADD_FAILURE() << "it goes on asking";
            break;
        }
        EXPECT_EQ(question->kind, dns::type::mx);
        const auto known = world.find(question->owner.to_string());
        lookup.answered(known == world.end() ? holds({}) : known->second, last);
    }
    EXPECT_NE(lookup.found().exchangers.empty(), lookup.found().trouble == std::nullopt);
    return lookup.found();
}

route find(std::vector<dns::record> records, mx_options options = {})
{
    return find("example.org", {{"example.org", holds(std::move(records))}}, std::move(options));
}

std::vector<std::string> hosts(const route& r)
{
    std::vector<std::string> names;
    for (const auto& e : r.exchangers)
        names.push_back(e.host);
    return names;
}

#define EXPECT_TROUBLE(route_, verdict_, ...)                                                                \
    do {                                                                                                     \
        const auto& trouble_ = (route_).trouble;                                                             \
        ASSERT_TRUE(trouble_);                                                                               \
        EXPECT_EQ(trouble_->verdict, verdict_) << trouble_->sentence;                                        \
        EXPECT_EQ(trouble_->status.to_string(), __VA_ARGS__) << trouble_->sentence;                          \
    } while (false)

TEST(policy_mx_order, lower_preference_comes_first)
{
    const auto r = find({mx("example.org", 20, "b.example"), mx("example.org", 5, "C.Example"),
                         mx("Example.ORG", 10, "a.example")});
    EXPECT_THAT(hosts(r), ElementsAre("c.example", "a.example", "b.example"));
    EXPECT_EQ(r.exchangers[0].preference, 5);
    EXPECT_FALSE(r.exchangers[0].implicit);
    EXPECT_FALSE(r.exchangers[0].literal);
}

TEST(policy_mx_order, equal_preferences_are_shuffled_each_order_as_often)
{
    std::uint32_t state = 1; // a small generator of our own, so that each run draws the same
    const random_below random = [&state](std::uint32_t bound) {
        state = state * 1664525u + 1013904223u;
        return (state >> 8) % bound;
    };
    std::map<std::vector<std::string>, int> seen;
    for (int i = 0; i < 6000; ++i) {
        mx_lookup lookup("example.org");
        lookup.answered(holds({mx("example.org", 10, "a.example"), mx("example.org", 10, "b.example"),
                               mx("example.org", 20, "z.example"), mx("example.org", 10, "c.example")}),
                        random);
        ++seen[hosts(lookup.found())];
    }
    EXPECT_EQ(seen.size(), 6u);
    for (const auto& [order, count] : seen) {
        EXPECT_EQ(order.back(), "z.example");
        EXPECT_NEAR(count, 1000, 150);
    }
}

TEST(policy_mx_order, a_source_of_numbers_out_of_bounds_does_no_harm)
{
    mx_lookup lookup("example.org");
    lookup.answered(holds({mx("example.org", 1, "a.example"), mx("example.org", 1, "b.example")}),
                    [](std::uint32_t) { return 0xffffffffu; });
    EXPECT_EQ(lookup.found().exchangers.size(), 2u);
}

TEST(policy_mx_order, without_mx_the_domain_is_its_own_exchanger)
{
    const auto r = find({});
    EXPECT_THAT(hosts(r), ElementsAre("example.org"));
    EXPECT_TRUE(r.exchangers[0].implicit);
}

TEST(policy_mx_order, records_of_other_names_are_nobodys_business)
{
    EXPECT_THAT(hosts(find({mx("example.net", 10, "evil.example")})), ElementsAre("example.org"));
    EXPECT_THAT(hosts(find({mx("example.org", 10, "a.example"), mx("example.net", 1, "evil.example")})),
                ElementsAre("a.example"));
}

TEST(policy_mx_order, rfc7505_null_mx_alone_takes_no_mail)
{
    const auto r = find({mx("example.org", 0, ".")});
    EXPECT_TROUBLE(r, verdict::refused, "5.1.10");
    EXPECT_EQ(r.trouble->sentence, "example.org takes no mail: it has a null MX (192.0.2.53)");
}

TEST(policy_mx_order, rfc7505_null_mx_beside_others_is_left_out)
{
    const auto r = find({mx("example.org", 0, "."), mx("example.org", 10, "a.example")});
    EXPECT_THAT(hosts(r), ElementsAre("a.example"));
    EXPECT_EQ(r.notes.size(), 1u);
}

TEST(policy_mx_order, no_such_domain_is_final_and_everything_else_is_not)
{
    EXPECT_TROUBLE(find("example.org", {{"example.org", says(dns::rcode::name_error)}}), verdict::refused,
                   "5.1.2");
    for (const auto code : {dns::rcode::server_failure, dns::rcode::refused, dns::rcode::not_implemented})
        EXPECT_TROUBLE(find("example.org", {{"example.org", says(code)}}), verdict::deferred, "4.4.3");
    auto silent = holds({});
    silent.status = dns::lookup_status::timed_out;
    const auto r = find("example.org", {{"example.org", silent}});
    EXPECT_TROUBLE(r, verdict::deferred, "4.4.3");
    EXPECT_EQ(r.trouble->sentence,
              "looking up the mail exchangers of example.org: no answer came in time from 192.0.2.53");
}

TEST(policy_mx_order, a_bogus_answer_is_not_used)
{
    const auto bogus = holds({mx("example.org", 10, "evil.example")}, dns::security::bogus);
    EXPECT_TROUBLE(find("example.org", {{"example.org", bogus}}), verdict::deferred, "4.4.3");
    const auto null_mx = holds({mx("example.org", 0, ".")}, dns::security::bogus);
    EXPECT_TROUBLE(find("example.org", {{"example.org", null_mx}}), verdict::deferred, "4.4.3");
}

TEST(policy_mx_order, an_alias_is_followed_inside_an_answer)
{
    const auto r = find({alias("example.org", "b.example"), mx("c.example", 10, "mx.c.example"),
                         alias("b.example", "c.example")});
    EXPECT_THAT(hosts(r), ElementsAre("mx.c.example"));
}

TEST(policy_mx_order, an_alias_without_its_target_is_asked_again)
{
    const auto r = find("example.org", {{"example.org", holds({alias("example.org", "b.example")})},
                                        {"b.example", holds({mx("b.example", 10, "mx.b.example")})}});
    EXPECT_THAT(hosts(r), ElementsAre("mx.b.example"));
}

TEST(policy_mx_order, an_alias_whose_target_has_no_mx_gives_the_target)
{
    const auto r = find("example.org", {{"example.org", holds({alias("example.org", "b.example")})}});
    EXPECT_THAT(hosts(r), ElementsAre("b.example"));
    EXPECT_TRUE(r.exchangers[0].implicit);
}

TEST(policy_mx_order, an_alias_to_nowhere_is_no_such_domain)
{
    const auto r = find("example.org", {{"example.org", holds({alias("example.org", "b.example")})},
                                        {"b.example", says(dns::rcode::name_error)}});
    EXPECT_TROUBLE(r, verdict::refused, "5.1.2");
    EXPECT_NE(r.trouble->sentence.find("example.org (an alias of b.example)"), std::string::npos);
}

TEST(policy_mx_order, aliases_in_a_circle_are_deferred)
{
    EXPECT_TROUBLE(find({alias("example.org", "example.org")}), verdict::deferred, "4.4.4");
    EXPECT_TROUBLE(find({alias("example.org", "b.example"), alias("b.example", "example.org")}),
                   verdict::deferred, "4.4.4");
    EXPECT_TROUBLE(find("example.org", {{"example.org", holds({alias("example.org", "b.example")})},
                                        {"b.example", holds({alias("b.example", "example.org")})}}),
                   verdict::deferred, "4.4.4");
}

TEST(policy_mx_order, eight_aliases_are_followed_and_no_more)
{
    const auto chain = [](int links) {
        std::map<std::string, dns::answer> world;
        std::string owner = "example.org";
        for (int i = 0; i < links; ++i) {
            const auto target = "n" + std::to_string(i) + ".example";
            world.emplace(owner, holds({alias(owner, target)}));
            owner = target;
        }
        world.emplace(owner, holds({mx(owner, 1, "mx.example")}));
        return world;
    };
    EXPECT_THAT(hosts(find("example.org", chain(8))), ElementsAre("mx.example"));
    EXPECT_TROUBLE(find("example.org", chain(9)), verdict::deferred, "4.4.4");
}

TEST(policy_mx_order, addresses_in_the_place_of_names_are_left_out_and_said)
{
    const auto r = find({mx("example.org", 1, "192.0.2.7"), mx("example.org", 2, "2001:db8::7"),
                         mx("example.org", 3, "a\\032b.example"), mx("example.org", 4, "good.example")});
    EXPECT_THAT(hosts(r), ElementsAre("good.example"));
    EXPECT_THAT(
        r.notes,
        testing::UnorderedElementsAre(
            "example.org has the mail exchanger 192.0.2.7, which is an IP address where the name of a host "
            "must stand",
            "example.org has the mail exchanger 2001:db8::7, which is an IP address where the name of a host "
            "must stand",
            "example.org has the mail exchanger a\\032b.example, which cannot be the name of a host"));
}

TEST(policy_mx_order, exchangers_of_which_none_can_be_a_host_do_not_make_the_domain_one)
{
    EXPECT_TROUBLE(find({mx("example.org", 1, "192.0.2.7"), a("example.org", "192.0.2.1")}), verdict::refused,
                   "5.4.4");
    EXPECT_TROUBLE(find({mx("example.org", 1, "192.0.2.7"), mx("example.org", 1, ".")}), verdict::refused,
                   "5.4.4");
}

TEST(policy_mx_order, duplicates_are_merged_into_the_better_one)
{
    const auto r = find({mx("example.org", 30, "a.example"), mx("example.org", 20, "b.example"),
                         mx("example.org", 10, "A.example"), mx("example.org", 10, "a.example")});
    EXPECT_THAT(hosts(r), ElementsAre("a.example", "b.example"));
    EXPECT_EQ(r.exchangers[0].preference, 10);
}

TEST(policy_mx_order, the_best_hundred_are_kept)
{
    std::vector<dns::record> records;
    for (int i = 300; i > 0; --i)
        records.push_back(
            mx("example.org", static_cast<std::uint16_t>(i), "mx" + std::to_string(i) + ".example"));
    const auto r = find(records);
    EXPECT_EQ(r.exchangers.size(), 100u);
    EXPECT_EQ(r.exchangers.front().host, "mx1.example");
    EXPECT_EQ(r.exchangers.back().host, "mx100.example");
    EXPECT_THAT(r.notes, ElementsAre("example.org has 300 mail exchangers, of which the best 100 are used"));
}

TEST(policy_mx_order, notes_are_bounded)
{
    std::vector<dns::record> records{mx("example.org", 1, "good.example")};
    for (int i = 0; i < 200; ++i)
        records.push_back(mx("example.org", 1, "192.0.2." + std::to_string(i)));
    EXPECT_EQ(find(records).notes.size(), 10u);
}

TEST(policy_mx_order, this_host_and_what_is_no_better_are_left_out)
{
    const std::vector<dns::record> records{
        mx("example.org", 10, "best.example"), mx("example.org", 20, "Us.example"),
        mx("example.org", 20, "peer.example"), mx("example.org", 30, "worse.example")};
    EXPECT_THAT(hosts(find(records, {"us.EXAMPLE"})), ElementsAre("best.example"));
    EXPECT_THAT(hosts(find(records, {"other.example"})).size(), 4u);
    const auto loop = find(records, {"best.example"});
    EXPECT_TROUBLE(loop, verdict::refused, "5.4.6");
}

TEST(policy_mx_order, a_domain_that_is_this_host_itself_would_loop)
{
    EXPECT_TROUBLE(find({}, {"example.org"}), verdict::refused, "5.4.6");
}

TEST(policy_mx_order, address_literals_need_no_dns)
{
    const auto v4 = find("[192.0.2.1]", {});
    EXPECT_THAT(hosts(v4), ElementsAre("192.0.2.1"));
    EXPECT_TRUE(v4.exchangers[0].literal);
    EXPECT_FALSE(mx_lookup("[192.0.2.1]").next());
    EXPECT_THAT(hosts(find("[IPv6:2001:DB8:0::1]", {})), ElementsAre("2001:db8::1"));
    EXPECT_THAT(hosts(find("[ipv6:2001:db8::1]", {})), ElementsAre("2001:db8::1"));
}

TEST(policy_mx_order, what_is_neither_domain_nor_literal_is_refused)
{
    for (const auto* text :
         {"[2001:db8::1]", "[IPv6:192.0.2.1]", "[x400:abc]", "[192.0.2.1", "[]", "[", "[0.0.0.0]",
          "[224.0.0.1]", "[IPv6:::]", "[IPv6:ff02::1]", "[IPv6:::ffff:192.0.2.1]", "", ".", "a..b"})
        EXPECT_TROUBLE(find(text, {}), verdict::refused, "5.1.2");
}

TEST(policy_mx_order, trust_is_that_of_the_worst_answer_on_the_way)
{
    const auto secure = holds({alias("example.org", "b.example")}, dns::security::secure);
    const auto trust = [&](dns::security second) {
        const auto b = holds({mx("b.example", 1, "mx.b.example")}, second);
        return find("example.org", {{"example.org", secure}, {"b.example", b}}).exchangers.at(0).trust;
    };
    EXPECT_EQ(trust(dns::security::secure), dns::security::secure);
    EXPECT_EQ(trust(dns::security::insecure), dns::security::insecure);
}

exchanger explicit_host() { return {"mx.example", false, 10, false, dns::security::insecure}; }
exchanger implicit_host() { return {"mx.example", false, 0, true, dns::security::insecure}; }

TEST(policy_addresses, both_families_in_turn_ipv6_first)
{
    EXPECT_THAT(interleave({"6a", "6b", "6c"}, {"4a"}), ElementsAre("6a", "4a", "6b", "6c"));
    EXPECT_THAT(interleave({}, {"4a", "4b"}), ElementsAre("4a", "4b"));
    const auto found = decide_addresses(explicit_host(), holds({aaaa("mx.example", "2001:db8::1")}),
                                        holds({a("mx.example", "192.0.2.1"), a("mx.example", "192.0.2.2")}));
    EXPECT_THAT(found.addresses, ElementsAre("2001:db8::1", "192.0.2.1", "192.0.2.2"));
    EXPECT_FALSE(found.trouble);
}

TEST(policy_addresses, one_family_is_enough)
{
    const auto found = decide_addresses(explicit_host(), says(dns::rcode::server_failure),
                                        holds({a("mx.example", "192.0.2.1")}, dns::security::secure));
    EXPECT_THAT(found.addresses, ElementsAre("192.0.2.1"));
    EXPECT_FALSE(found.trouble);
    EXPECT_EQ(found.trust, dns::security::secure);
}

TEST(policy_addresses, a_family_that_failed_leaves_hope)
{
    const auto found = decide_addresses(explicit_host(), says(dns::rcode::server_failure), holds({}));
    EXPECT_TROUBLE(found, verdict::deferred, "4.4.3");
    const auto other =
        decide_addresses(explicit_host(), says(dns::rcode::name_error), says(dns::rcode::refused));
    EXPECT_TROUBLE(other, verdict::deferred, "4.4.3");
}

TEST(policy_addresses, a_host_without_addresses_is_no_route)
{
    const auto listed = decide_addresses(explicit_host(), holds({}), holds({}));
    EXPECT_TROUBLE(listed, verdict::refused, "5.4.4");
    EXPECT_EQ(listed.trouble->sentence, "the mail exchanger mx.example has no address (192.0.2.53)");
    const auto itself = decide_addresses(implicit_host(), holds({}), holds({}));
    EXPECT_TROUBLE(itself, verdict::refused, "5.4.4");
    EXPECT_EQ(itself.trouble->sentence,
              "mx.example, which has no mail exchanger (MX), has no address (192.0.2.53)");
}

TEST(policy_addresses, a_host_that_was_given_is_nobodys_mail_exchanger)
{
    exchanger given = explicit_host();
    given.given = true;
    EXPECT_EQ(decide_addresses(given, holds({}), holds({})).trouble->sentence,
              "mx.example has no address (192.0.2.53)");
    const auto gone = says(dns::rcode::name_error);
    EXPECT_EQ(decide_addresses(given, gone, gone).trouble->sentence,
              "looking up the IPv4 addresses of mx.example: there is no such domain (192.0.2.53 answered "
              "NXDOMAIN)");
}

TEST(policy_addresses, a_listed_host_that_does_not_exist_is_a_bad_route_and_the_domain_itself_no_domain)
{
    const auto gone = says(dns::rcode::name_error);
    EXPECT_TROUBLE(decide_addresses(explicit_host(), gone, gone), verdict::refused, "5.4.4");
    EXPECT_TROUBLE(decide_addresses(implicit_host(), gone, gone), verdict::refused, "5.1.2");
}

TEST(policy_addresses, what_can_be_nobodys_address_is_left_out)
{
    const auto found =
        decide_addresses(explicit_host(),
                         holds({aaaa("mx.example", "::"), aaaa("mx.example", "ff02::1"),
                                aaaa("mx.example", "::ffff:10.0.0.1"), aaaa("mx.example", "::1")}),
                         holds({a("mx.example", "0.0.0.0"), a("mx.example", "0.1.2.3"),
                                a("mx.example", "224.0.0.1"), a("mx.example", "255.255.255.255"),
                                a("mx.example", "127.0.0.1"), a("mx.example", "223.255.255.1")}));
    EXPECT_THAT(found.addresses, ElementsAre("::1", "127.0.0.1", "223.255.255.1"));
    const auto none = decide_addresses(explicit_host(), holds({}), holds({a("mx.example", "0.0.0.0")}));
    EXPECT_TROUBLE(none, verdict::refused, "5.4.4");
}

TEST(policy_addresses, an_alias_in_the_answer_is_followed)
{
    const auto found =
        decide_addresses(explicit_host(), holds({}),
                         holds({alias("MX.example", "real.example"), a("real.example", "192.0.2.1"),
                                a("other.example", "192.0.2.66")}));
    EXPECT_THAT(found.addresses, ElementsAre("192.0.2.1"));
    const auto circle = holds({alias("mx.example", "b.example"), alias("b.example", "mx.example")});
    EXPECT_TROUBLE(decide_addresses(explicit_host(), circle, circle), verdict::deferred, "4.4.4");
}

TEST(policy_addresses, a_literal_is_its_own_address)
{
    const exchanger literal{"192.0.2.1", true, 0, false, dns::security::insecure};
    EXPECT_THAT(decide_addresses(literal, {}, {}).addresses, ElementsAre("192.0.2.1"));
}

TEST(policy_addresses, at_most_32_are_kept)
{
    std::vector<dns::record> many;
    for (int i = 1; i < 200; ++i)
        many.push_back(a("mx.example", "192.0.2." + std::to_string(i)));
    EXPECT_EQ(decide_addresses(explicit_host(), holds({}), holds(many)).addresses.size(), 32u);
}

} // namespace
} // namespace postrider::policy
