// SPDX-License-Identifier: MIT
// unit/policy/failure: facts in, decisions out, one rule a test.

#include "policy/failure.hpp"
#include "postrider/error.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace postrider::policy {
namespace {

constexpr std::string_view host = "mx1.example.org";

std::shared_ptr<const reply> said(int code, std::optional<enhanced_code> enhanced = {},
                                  std::string text = "text")
{
    return std::make_shared<const reply>(code, enhanced, std::vector<std::string>{std::move(text)});
}

/// What a session settled by a reply to `command`.
smtp::outcome replied(phase where, std::string command, std::shared_ptr<const reply> r)
{
    smtp::outcome o;
    o.verdict = r->permanent() ? verdict::refused : r->positive() ? verdict::delivered : verdict::deferred;
    o.where = where;
    o.command = std::move(command);
    o.said = std::move(r);
    return o;
}

/// What a session settled by breaking.
smtp::outcome broken(phase where, error why, verdict what = verdict::deferred)
{
    smtp::outcome o;
    o.verdict = what;
    o.where = where;
    o.error = why;
    return o;
}

dns::answer answered(dns::rcode code)
{
    dns::answer a;
    a.code = code;
    a.asked = "127.0.0.1:5353";
    return a;
}

TEST(policy_failure, a_delivered_message_needs_nothing_more)
{
    const auto d = decide_outcome(replied(phase::end_of_data, "end of data", said(250)), host);
    EXPECT_EQ(d.step, next_step::done);
    EXPECT_EQ(d.meaning.verdict, verdict::delivered);
    EXPECT_EQ(d.meaning.status.status, 2);
}

TEST(policy_failure, a_permanent_no_about_message_or_recipient_is_final)
{
    for (const auto where : {phase::mail, phase::rcpt, phase::data, phase::body, phase::end_of_data}) {
        const auto d = decide_outcome(
            replied(where, "RCPT TO:<b@example.org>", said(550, enhanced_code{5, 1, 1})), host);
        EXPECT_EQ(d.step, next_step::never) << to_string(where);
        EXPECT_EQ(d.meaning.verdict, verdict::refused) << to_string(where);
        EXPECT_EQ(d.meaning.status, (enhanced_code{5, 1, 1})) << to_string(where);
    }
}

TEST(policy_failure, a_transient_no_about_message_or_recipient_is_not_carried_to_the_next_host)
{
    for (const auto where : {phase::mail, phase::rcpt, phase::data, phase::body, phase::end_of_data}) {
        const auto d = decide_outcome(replied(where, "RCPT TO:<b@example.org>", said(450)), host);
        EXPECT_EQ(d.step, next_step::later) << to_string(where);
        EXPECT_EQ(d.meaning.verdict, verdict::deferred) << to_string(where);
        EXPECT_EQ(d.meaning.status, (enhanced_code{4, 0, 0})) << to_string(where);
    }
}

TEST(policy_failure, a_sentence_names_host_command_and_reply)
{
    const auto o = replied(phase::rcpt, "RCPT TO:<b@example.org>",
                           said(550, enhanced_code{5, 1, 1}, "no such user\x1b[2J"));
    EXPECT_EQ(decide_outcome(o, host).meaning.sentence,
              "mx1.example.org answered RCPT TO:<b@example.org> with " + o.said->to_string());
    EXPECT_EQ(decide_outcome(o, host).meaning.sentence.find('\x1b'), std::string::npos);
}

TEST(policy_failure, a_goodbye_or_a_full_system_sends_us_to_the_next_host)
{
    EXPECT_EQ(decide_outcome(replied(phase::rcpt, "RCPT", said(421)), host).step, next_step::next_host);
    const auto full = decide_outcome(replied(phase::mail, "MAIL", said(452, enhanced_code{4, 3, 1})), host);
    EXPECT_EQ(full.step, next_step::next_host);
    EXPECT_EQ(full.meaning.verdict, verdict::deferred);
    EXPECT_EQ(full.meaning.status, (enhanced_code{4, 3, 1}));
}

TEST(policy_failure, a_goodbye_in_answer_to_the_message_itself_is_a_word_on_the_message)
{
    const auto d = decide_outcome(replied(phase::end_of_data, "end of data", said(421)), host);
    EXPECT_EQ(d.step, next_step::later);
    EXPECT_EQ(d.meaning.verdict, verdict::deferred);
}

TEST(policy_failure, a_host_that_refuses_to_talk_is_one_host)
{
    for (const auto where : {phase::greeting, phase::hello}) {
        auto o = replied(where, "", said(554));
        o.error = error::server_unavailable;
        const auto no = decide_outcome(o, host);
        EXPECT_EQ(no.step, next_step::next_host);
        EXPECT_EQ(no.meaning.verdict, verdict::refused);
        EXPECT_EQ(no.meaning.status, (enhanced_code{5, 3, 2}));
        const auto busy = decide_outcome(replied(where, "", said(450)), host);
        EXPECT_EQ(busy.step, next_step::next_host);
        EXPECT_EQ(busy.meaning.verdict, verdict::deferred);
        EXPECT_EQ(busy.meaning.status, (enhanced_code{4, 3, 2}));
    }
}

TEST(policy_failure, a_conversation_that_breaks_before_the_end_may_go_on_elsewhere)
{
    for (const auto where :
         {phase::greeting, phase::hello, phase::starttls, phase::mail, phase::rcpt, phase::data, phase::body})
        for (const auto why :
             {error::connection_lost, error::timed_out, error::protocol_broken, error::out_of_step}) {
            const auto d = decide_outcome(broken(where, why), host);
            EXPECT_EQ(d.step, next_step::next_host) << to_string(where);
            EXPECT_EQ(d.meaning.verdict, verdict::deferred) << to_string(where);
            EXPECT_EQ(d.meaning.status.status, 4);
        }
    EXPECT_EQ(decide_outcome(broken(phase::mail, error::connection_lost), host).meaning.status,
              (enhanced_code{4, 4, 2}));
    EXPECT_EQ(decide_outcome(broken(phase::mail, error::protocol_broken), host).meaning.status,
              (enhanced_code{4, 5, 0}));
    EXPECT_EQ(decide_outcome(broken(phase::starttls, error::connection_lost), host).meaning.status,
              (enhanced_code{4, 7, 5}));
}

TEST(policy_failure, nonsense_is_not_quoted_as_an_answer)
{
    auto o = broken(phase::mail, error::out_of_step);
    o.said = said(250, {}, "unasked");
    o.why = "the server answered what was not asked";
    const auto d = decide_outcome(o, host);
    EXPECT_EQ(d.step, next_step::next_host);
    EXPECT_EQ(d.meaning.status, (enhanced_code{4, 5, 0}));
    EXPECT_EQ(d.meaning.sentence, "mx1.example.org: the server answered what was not asked");
}

TEST(policy_failure, after_the_end_of_data_no_other_host_is_tried)
{
    for (const auto why :
         {error::connection_lost, error::timed_out, error::protocol_broken, error::cancelled}) {
        const auto d = decide_outcome(broken(phase::end_of_data, why, verdict::in_doubt), host);
        EXPECT_EQ(d.step, next_step::doubt);
        EXPECT_EQ(d.meaning.verdict, verdict::in_doubt);
        EXPECT_EQ(d.meaning.status.status, 4);
    }
}

TEST(policy_failure, a_cancel_sends_us_nowhere)
{
    const auto before = decide_outcome(broken(phase::none, error::cancelled, verdict::untried), host);
    EXPECT_EQ(before.step, next_step::later);
    EXPECT_EQ(before.meaning.verdict, verdict::untried);
    const auto within = decide_outcome(broken(phase::rcpt, error::cancelled), host);
    EXPECT_EQ(within.step, next_step::later);
    EXPECT_EQ(within.meaning.verdict, verdict::deferred);
}

TEST(policy_failure, a_connection_that_died_at_rest_costs_the_message_nothing)
{
    const auto d = decide_outcome(broken(phase::mail, error::connection_lost, verdict::untried), host);
    EXPECT_EQ(d.step, next_step::next_host);
    EXPECT_EQ(d.meaning.verdict, verdict::deferred);
}

TEST(policy_failure, what_this_host_does_not_offer_another_may)
{
    smtp::outcome o;
    o.verdict = verdict::refused;
    o.where = phase::mail;
    o.our_status = enhanced_code{5, 6, 7};
    o.why = "the address needs SMTPUTF8";
    const auto d = decide_outcome(o, host);
    EXPECT_EQ(d.step, next_step::next_host);
    EXPECT_EQ(d.meaning.verdict, verdict::refused);
    EXPECT_EQ(d.meaning.status, (enhanced_code{5, 6, 7}));
    EXPECT_EQ(d.meaning.sentence, "mx1.example.org: the address needs SMTPUTF8");
}

TEST(policy_failure, a_message_that_cannot_be_read_is_not_tried_elsewhere)
{
    const auto d = decide_outcome(broken(phase::body, error::body_failed), host);
    EXPECT_EQ(d.step, next_step::later);
    EXPECT_EQ(d.meaning.verdict, verdict::deferred);
}

TEST(policy_failure, the_class_of_the_status_is_that_of_the_verdict)
{
    auto o = broken(phase::greeting, error::server_unavailable);
    o.said = said(421, enhanced_code{4, 3, 2});
    EXPECT_EQ(decide_outcome(o, host).meaning.status, (enhanced_code{4, 3, 2}));
    smtp::session_failure f;
    f.where = phase::rcpt;
    f.error = error::server_unavailable;
    f.said = said(550, enhanced_code{5, 7, 1});
    EXPECT_EQ(decide_session(f, host).meaning.status, (enhanced_code{4, 7, 1}));
}

TEST(policy_failure, a_session_that_ended_for_other_messages_is_no_word_on_this_one)
{
    smtp::session_failure f;
    f.where = phase::end_of_data;
    f.error = error::connection_lost;
    EXPECT_EQ(decide_session(f, host).step, next_step::next_host);
    EXPECT_EQ(decide_session(f, host).meaning.verdict, verdict::deferred);
    f.where = phase::rcpt;
    f.said = said(550);
    EXPECT_EQ(decide_session(f, host).step, next_step::next_host);
    EXPECT_EQ(decide_session(f, host).meaning.verdict, verdict::deferred);
    f.where = phase::greeting;
    EXPECT_EQ(decide_session(f, host).meaning.verdict, verdict::refused);
    f.said = nullptr;
    f.error = error::cancelled;
    EXPECT_EQ(decide_session(f, host).step, next_step::later);
    EXPECT_EQ(decide_session(f, host).meaning.verdict, verdict::untried);
}

TEST(policy_failure, connections_that_fail_are_one_host_and_only_for_now)
{
    using std::errc;
    const auto sentence = [](std::error_code why, std::chrono::seconds waited = {}) {
        const auto d = decide_connect({"mx1.example.org", "192.0.2.1", why, waited});
        EXPECT_EQ(d.step, next_step::next_host);
        EXPECT_EQ(d.meaning.verdict, verdict::deferred);
        EXPECT_EQ(d.meaning.status, (enhanced_code{4, 4, 1}));
        return d.meaning.sentence;
    };
    EXPECT_EQ(sentence(make_error_code(errc::connection_refused)),
              "mx1.example.org [192.0.2.1] refused the connection");
    EXPECT_EQ(sentence(make_error_code(errc::timed_out)), "mx1.example.org [192.0.2.1] did not answer");
    EXPECT_EQ(sentence(error::timed_out, std::chrono::seconds(30)),
              "mx1.example.org [192.0.2.1] did not answer within 30 seconds");
    EXPECT_EQ(sentence(make_error_code(errc::network_unreachable)),
              "mx1.example.org [192.0.2.1] cannot be reached from here");
    EXPECT_EQ(sentence(make_error_code(errc::connection_reset))
                  .find("connecting to mx1.example.org [192.0.2.1] failed: "),
              0u);
}

TEST(policy_failure, a_host_without_an_address_that_accepts_is_one_host)
{
    const auto refused = std::make_error_code(std::errc::connection_refused);
    const connect_failure v6{"mx.b.example", "[2001:db8::1]:25", refused, {}};
    const connect_failure v4{"mx.b.example", "192.0.2.1:25", refused, {}};
    const auto both = decide_unreachable("mx.b.example", std::vector{v6, v4});
    EXPECT_EQ(both.step, next_step::next_host);
    EXPECT_EQ(both.meaning.verdict, verdict::deferred);
    EXPECT_EQ(both.meaning.sentence, "none of the 2 addresses of mx.b.example accepted a connection: " +
                                         decide_connect(v4).meaning.sentence);
    EXPECT_EQ(decide_unreachable("mx.b.example", std::vector{v4}).meaning.sentence,
              decide_connect(v4).meaning.sentence);

    // What is wrong with us is wrong for every address.
    const connect_failure ours{
        "mx.b.example", "192.0.2.1:25", std::make_error_code(std::errc::too_many_files_open), {}};
    EXPECT_EQ(decide_unreachable("mx.b.example", std::vector{ours, v6}).step, next_step::later);
}

TEST(policy_failure, what_this_machine_lacks_no_other_host_can_give)
{
    const auto d =
        decide_connect({"mx1.example.org", "192.0.2.1", make_error_code(std::errc::too_many_files_open)});
    EXPECT_EQ(d.step, next_step::later);
    EXPECT_EQ(d.meaning.verdict, verdict::deferred);
    EXPECT_EQ(d.meaning.status, (enhanced_code{4, 3, 0}));
    const auto c = decide_connect({"mx1.example.org", "192.0.2.1", make_error_code(error::cancelled)});
    EXPECT_EQ(c.step, next_step::later);
    EXPECT_EQ(c.meaning.verdict, verdict::untried);
}

TEST(policy_failure, dns_says_no_only_with_nxdomain)
{
    EXPECT_FALSE(decide_lookup("x", answered(dns::rcode::no_error)));
    const auto no = decide_lookup("the mail exchangers of example.org", answered(dns::rcode::name_error));
    ASSERT_TRUE(no);
    EXPECT_EQ(no->verdict, verdict::refused);
    EXPECT_EQ(no->status, (enhanced_code{5, 1, 2}));
    EXPECT_EQ(no->sentence, "looking up the mail exchangers of example.org: there is no such domain "
                            "(127.0.0.1:5353 answered NXDOMAIN)");
    for (const auto code : {dns::rcode::server_failure, dns::rcode::refused, dns::rcode::not_implemented,
                            dns::rcode::format_error, static_cast<dns::rcode>(23)}) {
        const auto later = decide_lookup("x", answered(code));
        ASSERT_TRUE(later);
        EXPECT_EQ(later->verdict, verdict::deferred);
        EXPECT_EQ(later->status, (enhanced_code{4, 4, 3}));
        EXPECT_EQ(later->sentence, "looking up x: 127.0.0.1:5353 answered " + to_string(code));
    }
}

TEST(policy_failure, silence_and_broken_signatures_are_for_later)
{
    auto a = answered(dns::rcode::no_error);
    a.status = dns::lookup_status::timed_out;
    EXPECT_EQ(decide_lookup("x", a)->sentence, "looking up x: no answer came in time from 127.0.0.1:5353");
    a.status = dns::lookup_status::unreachable;
    a.why = "no route";
    EXPECT_EQ(decide_lookup("x", a)->sentence, "looking up x: 127.0.0.1:5353 could not be asked: no route");
    a.status = dns::lookup_status::cancelled;
    EXPECT_EQ(decide_lookup("x", a)->verdict, verdict::untried);

    auto forged = answered(dns::rcode::name_error);
    forged.trust = dns::security::bogus;
    EXPECT_EQ(decide_lookup("x", forged)->verdict, verdict::deferred); // not the NXDOMAIN that it claims
}

decision next_host(verdict what, std::string sentence)
{
    return {next_step::next_host, {what, {what == verdict::refused ? 5 : 4, 3, 2}, std::move(sentence)}};
}

TEST(policy_failure, all_hosts_together_refuse_only_if_each_did)
{
    const std::vector<decision> one{next_host(verdict::refused, "a said no")};
    EXPECT_EQ(decide_all_hosts("example.org", one).verdict, verdict::refused);
    EXPECT_EQ(decide_all_hosts("example.org", one).sentence, "a said no");

    const std::vector<decision> both{next_host(verdict::refused, "a said no"),
                                     next_host(verdict::refused, "b said no")};
    EXPECT_EQ(decide_all_hosts("example.org", both).verdict, verdict::refused);
    EXPECT_EQ(decide_all_hosts("example.org", both).sentence,
              "none of the 2 hosts of example.org that were tried took the message: b said no");

    const std::vector<decision> mixed{next_host(verdict::deferred, "a was away"),
                                      next_host(verdict::refused, "b said no")};
    EXPECT_EQ(decide_all_hosts("example.org", mixed).verdict, verdict::deferred);
    EXPECT_EQ(decide_all_hosts("example.org", mixed).status, (enhanced_code{4, 3, 2}));
    EXPECT_EQ(decide_all_hosts("example.org", mixed).sentence,
              "none of the 2 hosts of example.org that were tried took the message: a was away");
}

} // namespace
} // namespace postrider::policy
