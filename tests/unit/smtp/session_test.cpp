// SPDX-License-Identifier: MIT
// smtp/session_test: what a transcript cannot say: actions, limits, numbers, and what comes too late.
//
// How conversations go is written down in tests/conformance.

#include "smtp/session.hpp"

#include "postrider/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace postrider::smtp {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

transaction to(std::size_t recipients, const std::string& domain = "b.example")
{
    transaction t;
    t.reverse_path = address("ann@a.example");
    for (std::size_t i = 0; i < recipients; ++i)
        t.recipients.emplace_back("r" + std::to_string(i) + '@' + domain);
    return t;
}

event heard(std::string_view octets, bool more = false)
{
    event e{told::received, octets};
    e.more = more;
    return e;
}

event broken(error why)
{
    event e{told::failed};
    e.why = make_error_code(why);
    return e;
}

// To rest, on a connection whose server offers `keyword`.
session at_rest(std::string_view keyword = "PIPELINING")
{
    session s({.our_name = "relay.example"});
    EXPECT_EQ(s.resume({told::connected}).what, ask::wait);
    EXPECT_EQ(s.resume(heard("220 mx\r\n")).what, ask::write);
    EXPECT_EQ(s.resume({told::written}).what, ask::wait);
    EXPECT_EQ(s.resume(heard("250-mx\r\n250 " + std::string(keyword) + "\r\n")).what, ask::rest);
    return s;
}

action submit(session& s, transaction t)
{
    s.submit(std::move(t));
    return s.resume({told::submitted});
}

// From the envelope's write to the body's: everybody is accepted.
action to_the_body(session& s, std::size_t recipients)
{
    EXPECT_EQ(s.resume({told::written}).what, ask::wait);
    std::string replies = "250 ok\r\n";
    for (std::size_t i = 0; i < recipients; ++i)
        replies += "250 ok\r\n";
    return s.resume(heard(replies + "354 go\r\n"));
}

TEST(session, waits_at_least_as_long_as_rfc_5321_4_5_3_2_says)
{
    EXPECT_GE(row_of(verb::greeting).wait, 5min);
    EXPECT_GE(row_of(verb::mail).wait, 5min);
    EXPECT_GE(row_of(verb::rcpt).wait, 5min);
    EXPECT_GE(row_of(verb::data).wait, 2min);
    EXPECT_GE(body_block_wait, 3min);
    EXPECT_GE(row_of(verb::end_of_data).wait, 10min);

    session s({.our_name = "relay.example"});
    EXPECT_EQ(s.resume({told::connected}).limit, row_of(verb::greeting).wait);
    EXPECT_EQ(s.resume(heard("220 mx\r\n")).limit, row_of(verb::ehlo).wait);
}

TEST(session, waits_for_the_verdict_longer_than_for_anything_else)
{
    session s = at_rest();
    EXPECT_EQ(submit(s, to(1)).limit, row_of(verb::mail).wait);
    const action body = to_the_body(s, 1);
    EXPECT_EQ(body.what, ask::body);
    EXPECT_EQ(body.limit, body_block_wait);
    const action verdict_due = s.resume({told::body_written});
    EXPECT_EQ(verdict_due.what, ask::wait);
    EXPECT_EQ(verdict_due.where, phase::end_of_data);
    EXPECT_EQ(verdict_due.limit, row_of(verb::end_of_data).wait);
}

TEST(session, rests_without_a_limit_and_only_when_nothing_is_owed)
{
    session s = at_rest();
    submit(s, to(1));
    to_the_body(s, 1);
    EXPECT_EQ(s.resume({told::body_written}).what, ask::wait);
    const action rest = s.resume(heard("250 ok\r\n"));
    EXPECT_EQ(rest.what, ask::rest);
    EXPECT_EQ(rest.limit, 0s);
}

TEST(session, asks_for_the_body_of_the_message_by_its_id)
{
    session s = at_rest();
    EXPECT_EQ(s.submit(to(1)), 1u);
    EXPECT_EQ(s.submit(to(2)), 2u);
    EXPECT_EQ(s.resume({told::submitted}).what, ask::write);
    EXPECT_EQ(to_the_body(s, 1).message, 1u);
    (void)s.resume({told::body_written});
    EXPECT_EQ(s.resume(heard("250 ok\r\n")).what, ask::write);
    EXPECT_EQ(to_the_body(s, 2).message, 2u);
}

TEST(session, only_takes_note_while_more_may_have_come)
{
    session s({.our_name = "relay.example"});
    (void)s.resume({told::connected});
    EXPECT_EQ(s.resume(heard("220 mx\r\n", true)).what, ask::wait);
    EXPECT_EQ(s.resume(heard("250 mx\r\n")).what, ask::close); // it stood there before EHLO could leave
    EXPECT_EQ(s.failure()->error, error::out_of_step);
}

TEST(session, hears_replies_while_a_group_is_still_being_written)
{
    session s = at_rest();
    EXPECT_EQ(submit(s, to(3)).what, ask::write);
    EXPECT_EQ(s.resume(heard("250 ok\r\n250 ok\r\n55")).what, ask::wait);
    EXPECT_EQ(s.resume(heard("0 no\r\n")).what, ask::wait);
    EXPECT_EQ(s.resume({told::written}).what, ask::wait);
    EXPECT_EQ(s.resume(heard("250 ok\r\n354 go\r\n")).what, ask::body);
}

TEST(session, hundred_recipients_are_one_group)
{
    session s = at_rest();
    const action a = submit(s, to(100));
    EXPECT_EQ(std::count(a.octets.begin(), a.octets.end(), '\n'), 102);
    EXPECT_TRUE(a.octets.ends_with("DATA\r\n"));
}

TEST(session, many_recipients_leave_in_bounded_groups_without_waiting_for_replies)
{
    session s = at_rest();
    const std::string label = std::string(60, 'd') + '.';
    const std::size_t recipients = 2000;
    action a = submit(s, to(recipients, label + label + label + "example"));
    std::size_t lines = 0, groups = 0;
    while (a.what == ask::write) {
        ++groups;
        EXPECT_LE(a.octets.size(), 33u * 1024);
        lines += static_cast<std::size_t>(std::count(a.octets.begin(), a.octets.end(), '\n'));
        a = s.resume({told::written});
    }
    EXPECT_EQ(a.what, ask::wait);
    EXPECT_EQ(lines, recipients + 2);
    EXPECT_GT(groups, 10u);
}

TEST(session, says_one_command_at_a_time_where_pipelining_is_not_offered)
{
    session s = at_rest("X-NOTHING");
    EXPECT_EQ(submit(s, to(2)).octets, "MAIL FROM:<ann@a.example>\r\n");
    EXPECT_EQ(s.resume({told::written}).what, ask::wait);
    EXPECT_EQ(s.resume(heard("250 ok\r\n")).octets, "RCPT TO:<r0@b.example>\r\n");
}

TEST(session, failure_at_rest_with_nothing_submitted_has_no_command)
{
    session s = at_rest();
    EXPECT_EQ(s.resume(broken(error::connection_lost)).what, ask::close);
    EXPECT_EQ(s.failure()->where, phase::between);
    EXPECT_EQ(s.failure()->command, "");
    EXPECT_FALSE(s.take_settled());
}

TEST(session, no_connection_defers_what_was_submitted)
{
    session s({.our_name = "relay.example"});
    s.submit(to(2));
    EXPECT_EQ(s.resume(broken(error::connection_lost)).what, ask::close);
    EXPECT_EQ(s.failure()->where, phase::connect);
    const auto ended = s.take_settled();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->outcomes[1].verdict, verdict::deferred);
}

TEST(session, submitted_is_told_before_the_connection_stands)
{
    session s({.our_name = "relay.example"});
    EXPECT_EQ(submit(s, to(1)).what, ask::wait);
    EXPECT_EQ(s.resume({told::connected}).what, ask::wait);
    EXPECT_EQ(s.resume(heard("220 mx\r\n")).octets, "EHLO relay.example\r\n");
}

TEST(session, goodbye_while_a_message_is_on_its_way_waits_for_its_verdict)
{
    session s = at_rest();
    submit(s, to(1));
    EXPECT_EQ(to_the_body(s, 1).what, ask::body);
    EXPECT_EQ(s.resume({told::goodbye}).what, ask::wait);
    EXPECT_EQ(s.resume({told::body_written}).what, ask::wait);
    EXPECT_EQ(s.resume(heard("250 ok\r\n")).octets, "QUIT\r\n");
    EXPECT_EQ(s.take_settled()->outcomes[0].verdict, verdict::delivered);
}

TEST(session, goodbye_from_rest_ends_in_peace)
{
    session s = at_rest();
    EXPECT_EQ(s.resume({told::goodbye}).octets, "QUIT\r\n");
    EXPECT_EQ(s.resume({told::written}).what, ask::wait);
    EXPECT_EQ(s.resume(heard("221 bye\r\n")).what, ask::close);
    EXPECT_TRUE(s.closed());
    EXPECT_FALSE(s.failure());
}

TEST(session, goodbye_before_the_connection_stands_is_said_in_its_turn)
{
    session s({.our_name = "relay.example"});
    EXPECT_EQ(s.resume({told::goodbye}).what, ask::wait);
    EXPECT_EQ(s.resume({told::connected}).what, ask::wait);
    EXPECT_EQ(s.resume(heard("220 mx\r\n")).octets, "EHLO relay.example\r\n");
    EXPECT_EQ(s.resume({told::written}).what, ask::wait);
    EXPECT_EQ(s.resume(heard("250 mx\r\n")).octets, "QUIT\r\n");
}

TEST(session, message_submitted_after_the_goodbye_comes_back_untried)
{
    session s = at_rest();
    EXPECT_EQ(s.resume({told::goodbye}).what, ask::write);
    EXPECT_EQ(submit(s, to(1)).what, ask::wait);
    const auto ended = s.take_settled();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->outcomes[0].verdict, verdict::untried);
    EXPECT_EQ(ended->outcomes[0].error, error::not_connected);
}

TEST(session, message_submitted_after_the_end_comes_back_untried)
{
    session s = at_rest();
    (void)s.resume(broken(error::connection_lost));
    EXPECT_EQ(submit(s, to(2)).what, ask::close);
    const auto ended = s.take_settled();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->outcomes.size(), 2u);
    EXPECT_EQ(ended->outcomes[1].verdict, verdict::untried);
}

TEST(session, what_was_said_of_one_message_is_not_told_of_the_next)
{
    session s = at_rest();
    s.submit(to(1));
    s.submit(to(1, "other.example"));
    (void)s.resume({told::submitted});
    (void)s.resume({told::written});
    (void)s.resume(heard("250 ok\r\n421 r0@b.example is too busy\r\n"));
    EXPECT_EQ(s.take_settled()->outcomes[0].verdict, verdict::deferred);
    const outcome next = s.take_settled()->outcomes[0];
    EXPECT_EQ(next.verdict, verdict::untried);
    EXPECT_FALSE(next.said);
    EXPECT_EQ(next.command, "");
    EXPECT_THAT(next.why, Not(HasSubstr("b.example")));
}

TEST(session, endless_reply_ends_the_session_within_its_bound)
{
    session s = at_rest();
    submit(s, to(1));
    (void)s.resume({told::written});
    action a{ask::wait, phase::none};
    std::size_t octets = 0;
    const std::string line = "250-" + std::string(1000, 'x') + "\r\n";
    while (a.what == ask::wait && octets < 1'000'000) {
        a = s.resume(heard(line));
        octets += line.size();
    }
    EXPECT_EQ(a.what, ask::close);
    EXPECT_LE(octets, 70'000u);
    EXPECT_EQ(s.failure()->error, error::protocol_broken);
}

TEST(session, keeps_the_greeting_and_what_was_offered)
{
    session s = at_rest("SMTPUTF8");
    EXPECT_EQ(s.greeting()->lines().front(), "mx");
    EXPECT_TRUE(s.offered().smtputf8());
    EXPECT_EQ(s.state(), session_state::ready);
}

TEST(session, time_out_says_what_for_and_how_long_and_what_the_system_said)
{
    session s = at_rest();
    submit(s, to(1));
    (void)s.resume({told::written});
    event e = broken(error::timed_out);
    e.waited = 300s;
    e.detail = "no route\r\nto host";
    (void)s.resume(e);
    EXPECT_EQ(s.failure()->why, "timed out, waiting for the reply to MAIL FROM:<ann@a.example>, after 300 s: "
                                "no route\\r\\nto host");
}

TEST(session_table, closed_may_follow_every_state_and_nothing_follows_closed)
{
    for (const state_row& row : session_states) {
        EXPECT_TRUE(may_follow(row.state, session_state::closed)) << row.name;
        EXPECT_FALSE(row.name.empty() || row.meaning.empty());
    }
    EXPECT_EQ(row_of(session_state::closed).next, 0u);
}

#ifndef NDEBUG
TEST(session_death, event_that_cannot_follow_is_a_bug_of_the_driver)
{
    session s = at_rest();
    EXPECT_DEATH((void)s.resume({told::written}), "under_way");
    EXPECT_DEATH((void)s.resume({told::body_written}), "under_way");
    EXPECT_DEATH((void)s.resume({told::connected}), "may_follow");
}
#endif

} // namespace
} // namespace postrider::smtp
