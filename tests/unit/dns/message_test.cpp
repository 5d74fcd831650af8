// SPDX-License-Identifier: MIT
// unit/dns/message: messages to the wire and back, and what a stranger may not do to the reader.

#include "dns/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace postrider::dns {
namespace {

using octets = std::vector<std::uint8_t>;

name of(std::string_view text) { return name::parse(text).value(); }

record made(std::string_view owner, type kind, record_data data, std::uint32_t ttl = 300)
{
    return {of(owner), kind, ttl, std::move(data)};
}

/// A header with these counts, and what follows it.
octets wire(std::initializer_list<std::uint8_t> counts, std::string_view rest, std::uint8_t flags = 0x81)
{
    octets all{0x12, 0x34, flags, 0x80};
    for (const auto count : counts) {
        all.push_back(0);
        all.push_back(count);
    }
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
}

template <std::size_t Size>
std::string raw(const char (&text)[Size])
{
    return {text, Size - 1};
}

std::string why(const octets& all)
{
    const auto read = parse_message(all);
    return read ? "it was read" : read.problem().what;
}

message one_of_each()
{
    message m;
    m.id = 0xbeef;
    m.response = m.authoritative = m.recursion_desired = m.recursion_available = true;
    m.authentic = m.checking_disabled = true;
    m.code = rcode::name_error;
    m.questions.push_back({of("example.org"), type::mx});
    m.answers = {
        made("example.org", type::mx, mx_data{10, of("mx1.example.org")}),
        made("example.org", type::mx, mx_data{20, name{}}),
        made("www.example.org", type::cname, cname_data{of("example.org")}, 0),
        made("example.org", type::txt, txt_data{{"v=spf1 -all", "", std::string(255, 'x')}}),
        made("_25._tcp.mx1.example.org", type::tlsa, tlsa_data{3, 1, 1, {1, 2, 3}}),
        made("1.2.0.192.in-addr.arpa", type::ptr, ptr_data{of("mx1.example.org")}),
        made("odd.example.org", static_cast<type>(99), unknown_data{{0, 1, 0xc0}}, 0x7fffffff),
    };
    m.authorities = {
        made("example.org", type::ns, ns_data{of("ns.example.org")}),
        made("example.org", type::soa,
             soa_data{of("ns.example.org"), of("root.example.org"), 1, 2, 3, 4, 0xffffffff}),
    };
    m.additionals = {
        made("mx1.example.org", type::a, a_data{{192, 0, 2, 1}}),
        made("mx1.example.org", type::aaaa, parse_aaaa("2001:db8::1").value()),
    };
    m.edns_size = 1232;
    m.dnssec_ok = true;
    return m;
}

TEST(dns_message, every_kind_of_record_survives_the_wire)
{
    const auto m = one_of_each();
    const auto back = parse_message(serialize(m));
    ASSERT_TRUE(back) << back.problem().what;
    EXPECT_TRUE(*back == m);
}

TEST(dns_message, each_flag_and_number_of_the_header_stands_in_its_place)
{
    message m;
    m.id = 0x0102;
    EXPECT_THAT(serialize(m), testing::ElementsAre(1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    m.response = true;
    m.opcode = 4;
    m.truncated = true;
    m.checking_disabled = true;
    m.code = rcode::refused;
    EXPECT_THAT(serialize(m), testing::ElementsAre(1, 2, 0xa2, 0x15, 0, 0, 0, 0, 0, 0, 0, 0));
    m = {};
    m.authoritative = m.recursion_desired = m.recursion_available = m.authentic = true;
    EXPECT_THAT(serialize(m), testing::ElementsAre(0, 0, 0x05, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0));
}

TEST(dns_message, names_are_compressed_and_keep_their_case)
{
    message m;
    m.questions.push_back({of("Example.org"), type::mx});
    m.answers.push_back(made("Example.org", type::mx, mx_data{10, of("mx.Example.org")}));
    const auto all = serialize(m);
    // Header, question 13 + 4, then a pointer, 10 octets, preference, "mx" and a pointer.
    EXPECT_EQ(all.size(), 12u + 17 + 2 + 10 + 2 + 3 + 2);
    const auto back = parse_message(all);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->questions[0].owner.to_string(), "Example.org");
    EXPECT_EQ(std::get<mx_data>(back->answers[0].data).exchanger.to_string(), "mx.Example.org");
}

TEST(dns_message, an_extended_code_needs_the_opt_record)
{
    message m;
    m.code = static_cast<rcode>(16);
    EXPECT_EQ(parse_message(serialize(m))->code, rcode::server_failure);
    m.edns_size = 512;
    m.edns_version = 1;
    const auto back = parse_message(serialize(m));
    EXPECT_EQ(back->code, static_cast<rcode>(16));
    EXPECT_EQ(back->edns_version, 1);
    EXPECT_FALSE(back->dnssec_ok);
}

TEST(dns_message, too_long_an_answer_loses_whole_sets_and_says_so)
{
    message m;
    m.questions.push_back({of("example.org"), type::txt});
    m.answers.push_back(made("example.org", type::cname, cname_data{of("big.example.org")}));
    for (int i = 0; i < 3; ++i)
        m.answers.push_back(made("big.example.org", type::txt, txt_data{{std::string(200, 'x')}}));
    m.additionals.push_back(made("example.org", type::a, a_data{{192, 0, 2, 1}}));
    m.edns_size = 512;
    const auto all = serialize(m, 512);
    EXPECT_LE(all.size(), 512u);
    const auto back = parse_message(all);
    ASSERT_TRUE(back);
    EXPECT_TRUE(back->truncated);
    EXPECT_EQ(back->questions.size(), 1u);
    EXPECT_EQ(back->answers.size(), 1u); // the alias; not two of three strings
    EXPECT_TRUE(back->additionals.empty());
    EXPECT_EQ(back->edns_size, 512);
}

TEST(dns_message, left_out_additional_records_are_no_truncation)
{
    message m;
    m.answers.push_back(made("example.org", type::a, a_data{{192, 0, 2, 1}}));
    m.additionals.push_back(made("example.org", type::txt, txt_data{{std::string(200, 'x')}}));
    const auto back = parse_message(serialize(m, 100));
    EXPECT_FALSE(back->truncated);
    EXPECT_EQ(back->answers.size(), 1u);
    EXPECT_TRUE(back->additionals.empty());
}

TEST(dns_message, every_size_limit_gives_a_message_that_can_be_read)
{
    const auto m = one_of_each();
    const std::size_t full = serialize(m).size();
    for (std::size_t size = 0; size <= full; ++size) {
        const auto all = serialize(m, size);
        EXPECT_LE(all.size(), std::max<std::size_t>(size, 23)) << size; // a header and OPT in any case
        EXPECT_TRUE(parse_message(all)) << size;
    }
}

TEST(dns_message, a_message_may_not_exceed_what_tcp_can_carry)
{
    message m;
    for (int i = 0; i < 300; ++i)
        m.answers.push_back(
            made("n" + std::to_string(i) + ".example", type::txt, txt_data{{std::string(255, 'x')}}));
    const auto all = serialize(m, 1u << 20);
    EXPECT_LE(all.size(), 65535u);
    EXPECT_TRUE(parse_message(all)->truncated);
    m.answers = {made("example", static_cast<type>(99), unknown_data{octets(70000)})};
    EXPECT_TRUE(parse_message(serialize(m, 1u << 20))->answers.empty());
}

TEST(dns_message, a_message_cut_anywhere_is_a_problem)
{
    const auto all = serialize(one_of_each());
    for (std::size_t size = 0; size < all.size(); ++size)
        EXPECT_FALSE(parse_message(std::span(all).first(size))) << size;
}

TEST(dns_message, octets_behind_the_last_record_are_a_problem)
{
    auto all = serialize(one_of_each());
    all.push_back(0);
    EXPECT_EQ(why(all), "a DNS message goes on behind its last record");
}

TEST(dns_message, counts_that_the_octets_do_not_bear_out_are_a_problem)
{
    EXPECT_FALSE(parse_message(wire({1, 0, 0, 0}, "")));
    EXPECT_FALSE(parse_message(wire({0, 255, 255, 255}, "")));
}

TEST(dns_message, pointers_only_point_backwards)
{
    const auto pointing_at = [](char high, char low) {
        return why(wire({1, 0, 0, 0}, std::string{high, low} + raw("\0\1\0\1")));
    };
    const std::string no = "a name has a compression pointer that does not point back to a name";
    EXPECT_EQ(pointing_at('\xc0', 12), no); // to itself
    EXPECT_EQ(pointing_at('\xc0', 14), no); // forward
    EXPECT_EQ(pointing_at('\xc0', 0), no);  // into the header
    EXPECT_EQ(pointing_at('\xff', '\xff'), no);
}

TEST(dns_message, a_pair_of_pointers_does_not_go_in_circles)
{
    // 12: label "a", then a pointer to 12, whose target would come round to it again.
    EXPECT_FALSE(parse_message(wire({1, 0, 0, 0}, raw("\1a\xc0\x0c\0\1\0\1"))));
    // Behind it, a second name may go on at the first.
    const auto fine = parse_message(wire({2, 0, 0, 0}, raw("\1a\0\0\1\0\1\1b\xc0\x0c\0\1\0\1")));
    ASSERT_TRUE(fine);
    EXPECT_EQ(fine->questions[1].owner.to_string(), "b.a");
}

TEST(dns_message, a_pointer_as_the_last_octet_is_a_problem)
{
    EXPECT_EQ(why(wire({1, 0, 0, 0}, raw("\1a\xc0"))), "a name reaches over the end of its data");
}

TEST(dns_message, label_kinds_that_nobody_uses_are_a_problem)
{
    EXPECT_EQ(why(wire({1, 0, 0, 0}, raw("\x41"
                                         "a\0\0\1\0\1"))),
              "a name has a label of an unknown kind");
    EXPECT_EQ(why(wire({1, 0, 0, 0}, raw("\x80"
                                         "a\0\0\1\0\1"))),
              "a name has a label of an unknown kind");
}

TEST(dns_message, a_name_that_grows_by_pointers_keeps_the_limit_of_255)
{
    std::string rest;
    rest += '\x3f' + std::string(63, 'a') + '\0' + raw("\0\1\0\1"); // at 12
    std::size_t at = 12, next = 12 + 69;
    for (int i = 0; i < 2; ++i) { // each one label longer, by a pointer to the one before
        rest += '\x3f' + std::string(63, 'a') + '\xc0' + static_cast<char>(at) + raw("\0\1\0\1");
        at = next;
        next += 70;
    }
    EXPECT_TRUE(parse_message(wire({3, 0, 0, 0}, rest))); // 3 * 64 + 1
    rest += '\x3f' + std::string(63, 'a') + '\xc0' + static_cast<char>(at) + raw("\0\1\0\1");
    EXPECT_EQ(why(wire({4, 0, 0, 0}, rest)), "a domain name is longer than 255 octets"); // 4 * 64 + 1
}

TEST(dns_message, a_chain_of_bare_pointers_is_bounded)
{
    std::string rest = raw("\0\0\1\0\1"); // the root at 12
    for (int i = 0; i < 200; ++i) {       // each next question is a pointer to the one before
        const int target = i == 0 ? 12 : 17 + (i - 1) * 6;
        rest += static_cast<char>(0xc0 | target >> 8);
        rest += static_cast<char>(target & 0xff);
        rest += raw("\0\1\0\1");
    }
    EXPECT_EQ(why(wire({201, 0, 0, 0}, rest)),
              "a name has a compression pointer that does not point back to a name");
}

TEST(dns_message, names_that_unfold_to_megabytes_are_refused)
{
    std::string rest; // one name of 127 labels, and a thousand pointers to it
    for (int i = 0; i < 127; ++i)
        rest += raw("\1a");
    rest += raw("\0\0\1\0\1");
    auto all = wire({0, 0, 0, 0}, rest);
    const int count = 1000;
    for (int i = 0; i < count; ++i)
        all.insert(all.end(), {0xc0, 12, 0, 1, 0, 1});
    all[4] = static_cast<std::uint8_t>((count + 1) >> 8);
    all[5] = static_cast<std::uint8_t>((count + 1) & 0xff);
    EXPECT_EQ(why(all), "the names of a DNS message have more than 65535 labels together");
}

TEST(dns_message, data_of_the_wrong_length_is_a_problem)
{
    const auto with_data = [](char kind, const std::string& data) {
        return why(wire({0, 1, 0, 0}, std::string(1, '\0') + '\0' + kind + raw("\0\1\0\0\0\1") + '\0' +
                                          static_cast<char>(data.size()) + data));
    };
    EXPECT_EQ(with_data(1, raw("\1\2\3\4")), "it was read");
    EXPECT_EQ(with_data(1, raw("\1\2\3")), "a DNS message ends too early");
    EXPECT_EQ(with_data(1, raw("\1\2\3\4\5")), "a record is longer than its data");
    EXPECT_EQ(with_data(15, raw("\0\1\0")), "it was read");
    EXPECT_EQ(with_data(15, raw("\0\1\0\0")), "a record is longer than its data");
    EXPECT_EQ(with_data(15, raw("\0\1")), "a name reaches over the end of its data");
    EXPECT_EQ(with_data(16, ""), "a DNS message ends too early");
    EXPECT_EQ(with_data(16, raw("\2a")), "a DNS message ends too early");
    EXPECT_EQ(with_data(52, raw("\3\1")), "a DNS message ends too early");
    EXPECT_EQ(with_data(28, raw("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")), "it was read");
}

TEST(dns_message, a_name_in_data_does_not_read_on_behind_its_data)
{
    // NS data of two octets "\1a" whose root label stands outside.
    EXPECT_EQ(why(wire({0, 1, 0, 0}, raw("\0\0\2\0\1\0\0\0\1\0\2\1a\0"))),
              "a name reaches over the end of its data");
}

TEST(dns_message, other_classes_are_left_out_of_answers_and_refused_in_questions)
{
    const auto chaos = parse_message(wire({0, 1, 0, 0}, raw("\0\0\1\0\3\0\0\0\1\0\1x")));
    ASSERT_TRUE(chaos);
    EXPECT_TRUE(chaos->answers.empty());
    EXPECT_EQ(why(wire({1, 0, 0, 0}, raw("\0\0\1\0\3"))), "a question is not of class IN");
}

TEST(dns_message, a_ttl_with_its_highest_bit_set_is_zero)
{
    const auto read = parse_message(wire({0, 1, 0, 0}, raw("\0\0\1\0\1\x80\0\0\1\0\4\1\2\3\4")));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->answers[0].ttl, 0u);
}

TEST(dns_message, opt_stands_once_in_the_additional_section_under_the_root)
{
    const std::string opt = raw("\0\0\x29\4\xd0\0\0\x80\0\0\4\0\x0a\0\0"); // an empty cookie inside
    const auto read = parse_message(wire({0, 0, 0, 1}, opt));
    ASSERT_TRUE(read) << read.problem().what;
    EXPECT_EQ(read->edns_size, 1232);
    EXPECT_TRUE(read->dnssec_ok);
    EXPECT_TRUE(read->additionals.empty());
    EXPECT_FALSE(parse_message(wire({0, 0, 0, 2}, opt + opt)));
    EXPECT_FALSE(parse_message(wire({0, 1, 0, 0}, opt)));
    EXPECT_FALSE(parse_message(wire({0, 0, 0, 1}, raw("\1a") + opt)));
}

} // namespace
} // namespace postrider::dns
