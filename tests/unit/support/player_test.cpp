// SPDX-License-Identifier: MIT
// support/player_test: the player finds what is wrong with a session, so that its silence means something.
//
// No session is broken here: the scripts are, each in one place, which for the player is the same.

#include "support/player.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace postrider::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string good = R"(# one message, one recipient refused
> from ann@a.example to bob@b.example eve@b.example text "hello\r\n"
S: 220 mx.b.example
C: EHLO relay.example
S: 250-mx.b.example
S: 250 PIPELINING
C: MAIL FROM:<ann@a.example>
C: RCPT TO:<bob@b.example>
C: RCPT TO:<eve@b.example>
C: DATA
S: 250 ok
S: 250 ok
S: 550 5.1.1 no such user
S: 354 go ahead
C: hello
C: .
S: 250 2.0.0 queued
C: QUIT
S: 221 bye
= bob@b.example delivered 250
= eve@b.example refused 550
)";

// The script with one part of it replaced, which must occur.
std::string with(const std::string& what, const std::string& instead)
{
    std::string script = good;
    const std::size_t at = script.find(what);
    if (at == std::string::npos)
        throw std::logic_error("not in the script: " + what);
    return script.replace(at, what.size(), instead);
}

TEST(player, is_silent_about_a_session_that_does_as_written) { EXPECT_THAT(check(good), IsEmpty()); }

TEST(player, catches_a_line_of_the_client_that_differs)
{
    EXPECT_THAT(check(with("C: RCPT TO:<eve@b.example>", "C: RCPT TO:<EVE@b.example>")),
                Contains(HasSubstr("whole: line 9: expected C: RCPT TO:<EVE@b.example>")));
    EXPECT_THAT(check(with("C: hello", "C: hullo")), Contains(HasSubstr("whole: line 15")));
}

TEST(player, catches_a_line_of_the_client_that_is_not_written)
{
    EXPECT_THAT(check(with("C: QUIT\n", "C: RSET\nS: 250 ok\nC: QUIT\n")),
                Contains(HasSubstr("whole: line 18: expected C: RSET")));
}

TEST(player, catches_a_line_that_the_script_does_not_have)
{
    EXPECT_THAT(check(with("C: RCPT TO:<eve@b.example>\n", "")),
                Contains(HasSubstr("but the client wrote RCPT")));
    EXPECT_THAT(check(with("C: QUIT\nS: 221 bye\n", "")),
                Contains(HasSubstr("the end but the client wrote QUIT")));
}

TEST(player, catches_a_line_that_is_written_before_its_turn)
{
    EXPECT_THAT(check(with("C: RCPT TO:<bob@b.example>\n", "S: 250 ok\nC: RCPT TO:<bob@b.example>\n")),
                Contains(HasSubstr("whole: line 8: expected S: 250 ok")));
}

TEST(player, catches_a_wait_where_a_line_was_due)
{
    EXPECT_THAT(check(with("S: 354 go ahead\n", "")),
                Contains(HasSubstr("whole: line 14: the client waits")));
    EXPECT_THAT(check(with("S: 221 bye\n", "")),
                Contains(HasSubstr("whole: the script ends while the client waits")));
}

TEST(player, catches_a_script_that_is_not_played_to_its_end)
{
    EXPECT_THAT(check(with("S: 221 bye\n", "S: 221 bye\nC: NOOP\n")),
                Contains(HasSubstr("line 20 was never reached")));
    EXPECT_THAT(check(with("S: 221 bye\n", "!: connection lost\n!: timed out\n")),
                Contains(HasSubstr("line 20 was never reached")));
}

TEST(player, catches_a_missing_outcome)
{
    EXPECT_THAT(check(with("= eve@b.example refused 550\n", "")),
                Contains(HasSubstr("no outcome is written for eve@b.example")));
    EXPECT_THAT(check(good + "= dan@b.example delivered\n"), Contains(HasSubstr("whom nobody named")));
}

TEST(player, catches_outcomes_of_the_wrong_recipient)
{
    EXPECT_THAT(check(with("= bob@b.example delivered 250\n= eve@", "= eve@b.example delivered 250\n= bob@")),
                Contains(HasSubstr("no outcome is written for bob@b.example")));
}

TEST(player, catches_a_wrong_verdict_or_code)
{
    EXPECT_THAT(check(with("refused 550\n", "deferred 550\n")),
                Contains(HasSubstr(
                    "whole: line 21: eve@b.example is refused (550 5.1.1 no such user), expected deferred")));
    EXPECT_THAT(check(with("refused 550\n", "refused 551\n")), Contains(HasSubstr("whole: line 21")));
    EXPECT_THAT(check(with("delivered 250\n", "in-doubt 250\n")), Contains(HasSubstr("whole: line 20")));
}

TEST(player, catches_a_failure_that_is_not_written_and_one_that_is_not_there)
{
    EXPECT_THAT(
        check(with("C: QUIT\nS: 221 bye\n", "S: 250 again\n")),
        Contains(HasSubstr("whole: the conversation broke: a reply that answers nothing: 250 again")));
    EXPECT_THAT(check(good + "= failure \"lost\"\n"), Contains(HasSubstr("whole: the failure says ''")));
    EXPECT_THAT(check(with("S: 221 bye\n", "!: falls asleep\n")),
                Contains(HasSubstr("does not know 'falls asleep'")));
}

TEST(player, plays_whole_in_pieces_and_cut)
{
    // Wrong everywhere, so that each way complains.
    const auto complaints = check(with("delivered 250\n", "refused 250\n"));
    for (const char* way :
         {"whole: ", "replies before written is told: ", "pieces of 1: ", "pieces of 1, each alone: ",
          "pieces of 1, before written is told: ", "pieces of 60: ", "cut at line 18: ",
          "timed out at line 19: ", "cancelled at line 18: ", "cut within line 19: "})
        EXPECT_THAT(complaints, Contains(testing::StartsWith(way)));
}

TEST(player, tells_what_came_out)
{
    const played got = play(transcript::parse(good));
    EXPECT_THAT(got.complaints, IsEmpty());
    ASSERT_EQ(got.outcomes.size(), 2u);
    EXPECT_EQ(got.outcomes[0].said->to_string(), "250 2.0.0 queued");
    EXPECT_EQ(got.outcomes[1].command, "RCPT TO:<eve@b.example>");
}

std::string refusal_of(std::string_view script)
{
    try {
        (void)transcript::parse(script);
    } catch (const std::exception& e) {
        return e.what();
    }
    return {};
}

TEST(transcript, names_the_line_that_it_cannot_read)
{
    EXPECT_EQ(refusal_of("# title\nX: what\n"), "line 2: a line begins with #, >, C:, S:, !: or =");
    EXPECT_THAT(refusal_of("> from ann@a.example\n"), HasSubstr("line 1: a message needs a recipient"));
    EXPECT_THAT(refusal_of("> from ann@a.example to bob@b.example text hello\n"),
                HasSubstr("stands in quotes"));
    EXPECT_THAT(refusal_of("> from ann@a.example to bob@b.example text \"hello\n"),
                HasSubstr("closing quote"));
    EXPECT_THAT(refusal_of("= bob@b.example perhaps\n"), HasSubstr("no such verdict: perhaps"));
    EXPECT_THAT(refusal_of("S: \\q\n"), HasSubstr("no such escape"));
    EXPECT_THAT(refusal_of("S: \\xzz\n"), HasSubstr("two hexadecimal digits"));
}

TEST(transcript, reads_messages_settings_and_escapes)
{
    const transcript t =
        transcript::parse("# title\n  > together\n> stay\n> no pipelining\n"
                          "> from <> to a@b.example c@d.example eight-bit text \"x\\\"\\r\\n\"\n"
                          "S: 250 ok\\n\\c\n!: connection lost\n= a@b.example in-doubt 250\n");
    EXPECT_EQ(t.title, "title");
    EXPECT_TRUE(t.together && t.stay && !t.pipelining);
    ASSERT_EQ(t.messages.size(), 1u);
    EXPECT_FALSE(t.messages[0].envelope.reverse_path);
    EXPECT_EQ(t.messages[0].envelope.recipients.size(), 2u);
    EXPECT_EQ(t.messages[0].text, "x\"\r\n");
    EXPECT_EQ(t.steps[0].text, "250 ok\n");
    EXPECT_EQ(t.steps[1].who, '!');
    EXPECT_EQ(t.outcomes[0].verdict, verdict::in_doubt);
    EXPECT_EQ(t.outcomes[0].code, 250);
}

} // namespace
} // namespace postrider::test
