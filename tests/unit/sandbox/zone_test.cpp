// SPDX-License-Identifier: MIT
// unit/sandbox/zone: zones from text, and what they answer.

#include "sandbox/zone.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace postrider::sandbox {
namespace {

using dns::rcode;
using dns::type;
using testing::ElementsAre;

zone read(std::string_view text)
{
    auto made = zone::parse(text);
    if (!made)
        ADD_FAILURE() << made.problem().what;
    return made ? *std::move(made) : zone{};
}

std::string wrong(std::string_view text)
{
    const auto made = zone::parse(text);
    return made ? "it was read" : made.problem().what;
}

dns::message query(std::string_view owner, type kind)
{
    dns::message q;
    q.id = 77;
    q.recursion_desired = true;
    q.questions.push_back({dns::name::parse(owner).value(), kind});
    return q;
}

dns::message ask(const zone& z, std::string_view owner, type kind)
{
    const auto reply = z.reply_to(query(owner, kind));
    if (!reply)
        ADD_FAILURE() << "silent";
    return reply.value_or(dns::message{});
}

/// The answers as lines: "example.org 60 MX 10 mx1.example.org".
std::vector<std::string> lines(const dns::message& m)
{
    std::vector<std::string> found;
    for (const auto& r : m.answers) {
        std::string text = r.owner.to_string() + ' ' + std::to_string(r.ttl) + ' ' + to_string(r.kind);
        if (const auto* mx = std::get_if<dns::mx_data>(&r.data))
            text += ' ' + std::to_string(mx->preference) + ' ' + mx->exchanger.to_string();
        if (const auto* a = std::get_if<dns::a_data>(&r.data))
            text += ' ' + dns::to_string(*a);
        if (const auto* a = std::get_if<dns::aaaa_data>(&r.data))
            text += ' ' + dns::to_string(*a);
        if (const auto* alias = std::get_if<dns::cname_data>(&r.data))
            text += ' ' + alias->target.to_string();
        if (const auto* txt = std::get_if<dns::txt_data>(&r.data))
            for (const auto& s : txt->strings)
                text += " <" + s + '>';
        found.push_back(text);
    }
    return found;
}

void expect_no(const dns::message& m, rcode code)
{
    EXPECT_EQ(m.code, code);
    EXPECT_TRUE(m.answers.empty());
    ASSERT_EQ(m.authorities.size(), 1u);
    EXPECT_EQ(m.authorities[0].kind, type::soa);
}

TEST(sandbox_zone, lines_of_master_files_are_read)
{
    const auto z = read("; a comment\n"
                        "# another\n"
                        "\n"
                        "example.org.  MX 10 mx1.example.org.  ; behind a record\n"
                        "example.org 300 IN mx 20 mx2.example.org\r\n"
                        "  mx1.example.org\tA\t127.0.0.2 # here too\n"
                        "mx1.example.org AAAA ::1");
    EXPECT_THAT(lines(ask(z, "example.org", type::mx)),
                ElementsAre("example.org 60 MX 10 mx1.example.org", "example.org 300 MX 20 mx2.example.org"));
    EXPECT_THAT(lines(ask(z, "mx1.example.org", type::a)), ElementsAre("mx1.example.org 60 A 127.0.0.2"));
    EXPECT_THAT(lines(ask(z, "mx1.example.org", type::aaaa)), ElementsAre("mx1.example.org 60 AAAA ::1"));
    EXPECT_EQ(z.records().size(), 4u);
}

TEST(sandbox_zone, strings_have_quotes_and_escapes)
{
    const auto z = read(R"(a.example TXT "v=spf1; # -all" bare "a\"b\\c\065" "")");
    EXPECT_THAT(lines(ask(z, "a.example", type::txt)),
                ElementsAre(R"(a.example 60 TXT <v=spf1; # -all> <bare> <a"b\cA> <>)"));
}

TEST(sandbox_zone, all_types_are_read)
{
    const auto z = read("example.org NS ns.example.org\n"
                        "1.2.0.192.in-addr.arpa PTR mx1.example.org\n"
                        "_25._tcp.mx1.example.org TLSA 3 1 1 ab CD ef\n"
                        "nomail.example MX 0 .\n");
    EXPECT_EQ(std::get<dns::tlsa_data>(ask(z, "_25._tcp.mx1.example.org", type::tlsa).answers.at(0).data),
              (dns::tlsa_data{3, 1, 1, {0xab, 0xcd, 0xef}}));
    EXPECT_EQ(ask(z, "example.org", type::ns).answers.size(), 1u);
    EXPECT_EQ(ask(z, "1.2.0.192.in-addr.arpa", type::ptr).answers.size(), 1u);
    EXPECT_THAT(lines(ask(z, "nomail.example", type::mx)), ElementsAre("nomail.example 60 MX 0 ."));
}

TEST(sandbox_zone, problems_name_the_line_and_the_place)
{
    EXPECT_EQ(wrong("a.example A 127.0.0.1\n\nb.example A 127.0.0\n"),
              "line 3: A wants one IPv4 address, like 127.0.0.2");
    EXPECT_EQ(wrong("a.example"), "line 1: a.example has neither a type nor a behaviour");
    EXPECT_EQ(wrong("a.example 300"), "line 1: a.example has neither a type nor a behaviour");
    EXPECT_EQ(wrong("a..example A 127.0.0.1"), "line 1: \"a..example\": a domain name has an empty label");
    EXPECT_EQ(wrong("a.example MX mx.example"),
              "line 1: MX wants a preference up to 65535 and a name, like 10 mx1.example.org");
    EXPECT_EQ(wrong("a.example MX 65536 mx.example"),
              "line 1: MX wants a preference up to 65535 and a name, like 10 mx1.example.org");
    EXPECT_EQ(wrong("a.example AAAA 127.0.0.1"), "line 1: AAAA wants one IPv6 address, like ::1");
    EXPECT_EQ(wrong("a.example CNAME b.example c.example"), "line 1: CNAME wants one name");
    EXPECT_EQ(wrong("a.example TXT"), "line 1: TXT wants at least one string, like \"v=spf1 -all\"");
    EXPECT_EQ(wrong("a.example TXT \"half"), "line 1: a string has no closing quote");
    EXPECT_EQ(wrong("a.example TXT \"half\\"),
              "line 1: a backslash in a string wants three digits up to 255, or one other character");
    EXPECT_EQ(wrong("a.example TXT " + std::string(256, 'x')),
              "line 1: a string of TXT has at most 255 octets; write it as several");
    EXPECT_EQ(wrong("a.example 2147483648 A 127.0.0.1"),
              "line 1: \"2147483648\" is not a time to live in seconds");
    EXPECT_EQ(wrong("a.example TLSA 3 1 1 abc"),
              "line 1: TLSA wants usage, selector, matching type and hexadecimal digits, like 3 1 1 ab...");
    EXPECT_EQ(wrong("b\xc3\xbc"
                    "cher.example A 127.0.0.1"),
              "line 1: \"b\xc3\xbc"
              "cher.example\" is not a domain name (in ASCII, without quotes)");
    EXPECT_EQ(wrong("a.example SPF x").substr(0, 28), "line 1: \"SPF\" is no type (A ");
    EXPECT_EQ(zone::parse("a.example A 127.0.0.1\nb.example  BAD").problem().at, 33u);
}

TEST(sandbox_zone, what_other_readers_of_master_files_know_is_named)
{
    EXPECT_EQ(wrong("$ORIGIN example.org"),
              "line 1: $ORIGIN is not understood here: every name is written whole");
    EXPECT_EQ(wrong("@ MX 10 mx"), "line 1: @ is not understood here: every name is written whole");
    EXPECT_EQ(wrong("a.example TXT ( \"x\""),
              "line 1: a record stands on one line: ( is not understood here");
}

TEST(sandbox_zone, contradictions_are_problems)
{
    const std::string alias = "a.example is an alias (CNAME), and cannot have anything else";
    EXPECT_EQ(wrong("a.example CNAME b.example\na.example A 127.0.0.1"), "line 2: " + alias);
    EXPECT_EQ(wrong("a.example A 127.0.0.1\nA.example CNAME b.example"), "line 2: A" + alias.substr(1));
    EXPECT_EQ(wrong("a.example CNAME b.example\na.example CNAME c.example"), "line 2: " + alias);
    EXPECT_EQ(wrong("a.example SERVFAIL\na.example A 127.0.0.1"),
              "line 2: a.example has a behaviour already, and cannot have data beside it");
    EXPECT_EQ(wrong("a.example A SILENT\na.example A 127.0.0.1"),
              "line 2: a.example has a behaviour already, and cannot have data beside it");
    EXPECT_EQ(wrong("a.example A 127.0.0.1\na.example SILENT"),
              "line 2: a.example has data already, and cannot have a behaviour beside it");
    EXPECT_EQ(wrong("a.example SILENT\na.example MX REFUSED"), "line 2: a.example has a behaviour already");
}

TEST(sandbox_zone, a_record_twice_is_there_once)
{
    const auto z = read("a.example A 127.0.0.1\nA.EXAMPLE. 300 A 127.0.0.1\na.example A 127.0.0.2\n");
    EXPECT_EQ(ask(z, "a.example", type::a).answers.size(), 2u);
}

TEST(sandbox_zone, a_reply_answers_its_query)
{
    const auto z = read("Mx1.example.org A 127.0.0.2");
    auto q = query("mX1.Example.org", type::a);
    q.edns_size = 4096;
    q.dnssec_ok = true;
    const auto reply = z.reply_to(q).value();
    EXPECT_EQ(reply.id, 77);
    EXPECT_TRUE(reply.response && reply.authoritative && reply.recursion_desired &&
                reply.recursion_available);
    EXPECT_FALSE(reply.authentic);
    EXPECT_EQ(reply.questions, q.questions);
    EXPECT_EQ(reply.answers.at(0).owner.to_string(), "mX1.Example.org"); // in the case it was asked
    EXPECT_EQ(reply.edns_size, 1232);
    EXPECT_TRUE(reply.dnssec_ok);
    EXPECT_FALSE(z.reply_to(query("mx1.example.org", type::a))->edns_size);
}

TEST(sandbox_zone, names_that_are_there_without_such_data_have_no_data)
{
    const auto z = read("mx1.example.org A 127.0.0.2");
    expect_no(ask(z, "mx1.example.org", type::aaaa), rcode::no_error);
    expect_no(ask(z, "example.org", type::mx), rcode::no_error); // there, because something is below it
    expect_no(ask(z, ".", type::ns), rcode::no_error);
}

TEST(sandbox_zone, what_is_not_there_does_not_exist)
{
    const auto z = read("mx1.example.org A 127.0.0.2");
    expect_no(ask(z, "mx2.example.org", type::a), rcode::name_error);
    expect_no(ask(z, "a.mx1.example.org", type::a), rcode::name_error);
    expect_no(ask(z, "example.net", type::mx), rcode::name_error);
    expect_no(ask(zone{}, "example.net", type::mx), rcode::name_error);
}

TEST(sandbox_zone, aliases_are_followed_inside_the_zone)
{
    const auto z = read(
        "a.example CNAME b.example\nb.example CNAME c.example\nc.example A 127.0.0.2\n"
        "out.example CNAME nowhere.example\nbad.example CNAME broken.example\nbroken.example SERVFAIL\n");
    EXPECT_THAT(lines(ask(z, "a.example", type::a)),
                ElementsAre("a.example 60 CNAME b.example", "b.example 60 CNAME c.example",
                            "c.example 60 A 127.0.0.2"));
    EXPECT_THAT(lines(ask(z, "a.example", type::cname)), ElementsAre("a.example 60 CNAME b.example"));
    const auto mx = ask(z, "a.example", type::mx);
    EXPECT_EQ(mx.answers.size(), 2u);
    EXPECT_EQ(mx.authorities.size(), 1u); // aliases, and no data at their end
    const auto out = ask(z, "out.example", type::a);
    EXPECT_EQ(out.code, rcode::name_error);
    EXPECT_EQ(out.answers.size(), 1u);
    const auto bad = ask(z, "bad.example", type::a);
    EXPECT_EQ(bad.code, rcode::server_failure);
    EXPECT_TRUE(bad.answers.empty());
}

TEST(sandbox_zone, aliases_in_a_circle_end)
{
    const auto z = read("a.example CNAME b.example\nb.example CNAME a.example\n");
    const auto reply = ask(z, "a.example", type::a);
    EXPECT_EQ(reply.code, rcode::no_error);
    EXPECT_EQ(reply.answers.size(), 17u);
}

TEST(sandbox_zone, behaviours_come_on_demand)
{
    const auto z =
        read("f.example SERVFAIL\nr.example REFUSED\nn.example NOTIMP\nx.example NXDOMAIN\ns.example SILENT\n"
             "mx.example A 127.0.0.2\nmx.example TLSA servfail\nmx.example AAAA SILENT\n");
    EXPECT_EQ(ask(z, "f.example", type::mx).code, rcode::server_failure);
    EXPECT_EQ(ask(z, "r.example", type::a).code, rcode::refused);
    EXPECT_EQ(ask(z, "n.example", type::a).code, rcode::not_implemented);
    expect_no(ask(z, "x.example", type::a), rcode::name_error);
    EXPECT_FALSE(z.reply_to(query("s.example", type::mx)));
    EXPECT_EQ(ask(z, "mx.example", type::a).answers.size(), 1u);
    EXPECT_EQ(ask(z, "mx.example", type::tlsa).code, rcode::server_failure);
    EXPECT_FALSE(z.reply_to(query("mx.example", type::aaaa)));
    expect_no(ask(z, "mx.example", type::mx), rcode::no_error);
}

TEST(sandbox_zone, rfc4592_wildcards_stand_for_names_that_are_not_there)
{
    const auto z = read(
        "*.example.org MX 10 mx.example.org\nmx.example.org A 127.0.0.2\nhost.sub.example.org A 127.0.0.3\n"
        "gone.example.org NXDOMAIN\n*.silent.example SILENT\n");
    EXPECT_THAT(lines(ask(z, "any.example.org", type::mx)),
                ElementsAre("any.example.org 60 MX 10 mx.example.org"));
    EXPECT_THAT(lines(ask(z, "a.b.c.example.org", type::mx)),
                ElementsAre("a.b.c.example.org 60 MX 10 mx.example.org"));
    expect_no(ask(z, "any.example.org", type::a), rcode::no_error);
    expect_no(ask(z, "mx.example.org", type::mx), rcode::no_error);  // it is there
    expect_no(ask(z, "sub.example.org", type::mx), rcode::no_error); // so is this, being above one that is
    expect_no(ask(z, "other.sub.example.org", type::mx),
              rcode::name_error); // the closest name has no wildcard
    expect_no(ask(z, "x.mx.example.org", type::mx), rcode::name_error);
    expect_no(ask(z, "gone.example.org", type::mx), rcode::name_error);
    expect_no(ask(z, "example.org", type::mx), rcode::no_error);
    EXPECT_FALSE(z.reply_to(query("x.silent.example", type::mx)));
    EXPECT_EQ(ask(read("* A 127.0.0.9"), "what.ever", type::a).answers.size(), 1u);
}

TEST(sandbox_zone, a_name_too_long_for_its_wildcard_is_just_not_there)
{
    std::string longest; // 127 labels of one octet: "*." no longer fits in front
    for (int i = 0; i < 126; ++i)
        longest += "a.";
    const auto z = read(longest.substr(2) + "b A 127.0.0.1\n");
    expect_no(ask(z, "c." + longest.substr(2) + "b", type::a), rcode::name_error);
}

TEST(sandbox_zone, any_gives_what_there_is)
{
    const auto z = read("a.example A 127.0.0.1\na.example TXT x\n");
    EXPECT_EQ(ask(z, "a.example", type::any).answers.size(), 2u);
}

TEST(sandbox_zone, what_is_no_plain_query_is_told_so)
{
    const auto z = read("a.example A 127.0.0.1");
    auto q = query("a.example", type::a);
    q.opcode = 4;
    EXPECT_EQ(z.reply_to(q)->code, rcode::not_implemented);
    EXPECT_EQ(z.reply_to(q)->opcode, 4);
    q = query("a.example", type::a);
    q.questions.push_back(q.questions[0]);
    EXPECT_EQ(z.reply_to(q)->code, rcode::format_error);
    q.questions.clear();
    EXPECT_EQ(z.reply_to(q)->code, rcode::format_error);
    EXPECT_EQ(z.reply_to(query("a.example", static_cast<type>(252)))->code, rcode::refused);
    q = query("a.example", type::a);
    q.edns_size = 1232;
    q.edns_version = 1;
    const auto later_version = z.reply_to(q).value();
    EXPECT_EQ(static_cast<int>(later_version.code), 16);
    EXPECT_EQ(later_version.edns_version, 0);
    EXPECT_TRUE(later_version.answers.empty());
}

TEST(sandbox_zone, responses_are_never_answered)
{
    auto q = query("a.example", type::a);
    q.response = true;
    EXPECT_FALSE(read("a.example A 127.0.0.1").reply_to(q));
}

} // namespace
} // namespace postrider::sandbox
