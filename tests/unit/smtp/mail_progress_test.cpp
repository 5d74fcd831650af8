// SPDX-License-Identifier: MIT
// smtp/mail_progress_test: one transaction, told what was answered.

#include "smtp/mail_progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::smtp {
namespace {

using testing::ElementsAre;

std::shared_ptr<const reply> said(int code, std::optional<enhanced_code> enhanced = std::nullopt)
{
    return std::make_shared<const reply>(code, enhanced, std::vector<std::string>{"text"});
}

extensions offering(std::vector<std::string> lines)
{
    lines.insert(lines.begin(), "mx.b.example");
    return extensions::from_reply(reply(250, std::nullopt, std::move(lines)));
}

transaction to(std::initializer_list<const char*> recipients, const char* from = "ann@a.example")
{
    transaction t;
    t.reverse_path = address(from);
    for (const char* r : recipients)
        t.recipients.emplace_back(r);
    return t;
}

std::vector<verdict> verdicts(mail_progress& message)
{
    std::vector<verdict> all;
    for (const outcome& o : message.take_outcomes().outcomes)
        all.push_back(o.verdict);
    return all;
}

session_failure broken_by(error why) { return {phase::between, make_error_code(why), "", nullptr, ""}; }

// To the state in which the end of data has been written.
void write_whole(mail_progress& message, std::size_t recipients)
{
    message.prepare({});
    message.say(verb::mail);
    message.on_mail_reply(said(250));
    for (std::size_t i = 0; i < recipients; ++i)
        message.on_rcpt_reply(message.say(verb::rcpt), said(250));
    message.say(verb::data);
    message.on_body_written();
}

TEST(mail_progress, says_mail_then_each_recipient_then_data)
{
    mail_progress message(1, to({"bob@b.example", "carol@b.example"}));
    message.prepare({});
    EXPECT_EQ(message.next(), verb::mail);
    message.say(verb::mail);
    EXPECT_EQ(message.next(), verb::rcpt);
    EXPECT_EQ(message.say(verb::rcpt), 0u);
    EXPECT_EQ(message.say(verb::rcpt), 1u);
    EXPECT_EQ(message.command_text(verb::rcpt, 1), "RCPT TO:<carol@b.example>");
    EXPECT_EQ(message.next(), verb::data); // ahead of the replies: whoever may pipeline it decides
    message.say(verb::data);
    EXPECT_EQ(message.next(), std::nullopt);
}

TEST(mail_progress, says_no_data_when_every_recipient_was_refused)
{
    mail_progress message(1, to({"bob@b.example"}));
    message.prepare({});
    message.say(verb::mail);
    message.on_mail_reply(said(250));
    message.on_rcpt_reply(message.say(verb::rcpt), said(550));
    EXPECT_EQ(message.next(), std::nullopt);
    EXPECT_FALSE(message.anyone_left());
    EXPECT_TRUE(message.open_at_server());
}

TEST(mail_progress, says_nothing_after_mail_was_refused)
{
    mail_progress message(1, to({"bob@b.example"}));
    message.prepare({});
    message.say(verb::mail);
    message.on_mail_reply(said(550));
    EXPECT_EQ(message.next(), std::nullopt);
    EXPECT_FALSE(message.open_at_server());
    EXPECT_THAT(verdicts(message), ElementsAre(verdict::refused));
}

TEST(mail_progress, settles_each_recipient_once)
{
    mail_progress message(1, to({"bob@b.example", "carol@b.example", "dan@b.example"}));
    message.prepare({});
    message.say(verb::mail);
    message.on_mail_reply(said(250));
    message.on_rcpt_reply(message.say(verb::rcpt), said(550));
    message.on_rcpt_reply(message.say(verb::rcpt), said(450));
    message.on_rcpt_reply(message.say(verb::rcpt), said(250));
    EXPECT_TRUE(message.body_deserved());
    message.say(verb::data);
    message.on_body_written();
    message.on_end_of_data_reply(said(250));
    message.lose(broken_by(error::connection_lost)); // too late to change anything
    const auto ended = message.take_outcomes();
    EXPECT_EQ(ended.outcomes[0].verdict, verdict::refused);
    EXPECT_EQ(ended.outcomes[0].command, "RCPT TO:<bob@b.example>");
    EXPECT_EQ(ended.outcomes[0].where, phase::rcpt);
    EXPECT_EQ(ended.outcomes[1].verdict, verdict::deferred);
    EXPECT_EQ(ended.outcomes[2].verdict, verdict::delivered);
    EXPECT_EQ(ended.outcomes[2].where, phase::end_of_data);
    EXPECT_EQ(ended.outcomes[2].said->code(), 250);
}

TEST(mail_progress, accepted_recipient_of_a_refused_mail_deserves_no_body)
{
    mail_progress message(1, to({"bob@b.example"}));
    message.prepare({});
    message.say(verb::mail);
    const std::size_t bob = message.say(verb::rcpt);
    message.say(verb::data);
    message.on_mail_reply(said(550));
    message.on_rcpt_reply(bob, said(250));
    EXPECT_FALSE(message.body_deserved());
}

TEST(mail_progress, refuses_eight_bits_where_8bitmime_is_not_offered)
{
    transaction t = to({"bob@b.example", "carol@b.example"});
    t.octets = body_octets::eight_bit;
    mail_progress message(1, t);
    message.prepare(offering({"SMTPUTF8"}));
    EXPECT_EQ(message.next(), std::nullopt);
    EXPECT_FALSE(message.begun());
    for (const outcome& o : message.take_outcomes().outcomes) {
        EXPECT_EQ(o.verdict, verdict::refused);
        EXPECT_EQ(o.our_status, (enhanced_code{5, 6, 3}));
        EXPECT_FALSE(o.said);
        EXPECT_FALSE(o.why.empty());
    }
}

TEST(mail_progress, refuses_one_address_where_smtputf8_is_not_offered_and_serves_the_other)
{
    mail_progress message(1, to({"jos\xc3\xa9@b.example", "bob@b.example"}));
    message.prepare(offering({"8BITMIME"}));
    EXPECT_FALSE(message.smtputf8());
    message.say(verb::mail);
    EXPECT_EQ(message.command_text(verb::mail), "MAIL FROM:<ann@a.example> BODY=8BITMIME");
    EXPECT_EQ(message.say(verb::rcpt), 1u);
    EXPECT_EQ(message.next(), verb::data);
    const auto ended = message.take_outcomes();
    EXPECT_EQ(ended.outcomes[0].our_status, (enhanced_code{5, 6, 7}));
}

TEST(mail_progress, lost_before_the_end_of_data_is_deferred)
{
    mail_progress message(1, to({"bob@b.example"}));
    message.prepare({});
    message.say(verb::mail);
    message.lose(broken_by(error::connection_lost));
    EXPECT_THAT(verdicts(message), ElementsAre(verdict::deferred));
}

TEST(mail_progress, lost_after_the_end_of_data_is_in_doubt_whatever_the_reason)
{
    for (const error why : {error::connection_lost, error::timed_out, error::cancelled,
                            error::protocol_broken, error::out_of_step, error::server_unavailable}) {
        mail_progress message(1, to({"bob@b.example"}));
        write_whole(message, 1);
        message.lose(broken_by(why));
        EXPECT_THAT(verdicts(message), ElementsAre(verdict::in_doubt)) << make_error_code(why).message();
    }
}

TEST(mail_progress, cancelled_before_a_word_is_untried_and_after_one_deferred)
{
    mail_progress before(1, to({"bob@b.example"})), after(2, to({"bob@b.example"}));
    before.lose(broken_by(error::cancelled));
    after.prepare({});
    after.say(verb::mail);
    after.lose(broken_by(error::cancelled));
    EXPECT_THAT(verdicts(before), ElementsAre(verdict::untried));
    EXPECT_THAT(verdicts(after), ElementsAre(verdict::deferred));
}

TEST(mail_progress, permanently_unavailable_server_refuses_and_another_defers)
{
    mail_progress refused(1, to({"bob@b.example"})), deferred(2, to({"bob@b.example"}));
    session_failure why = broken_by(error::server_unavailable);
    why.said = said(554);
    refused.lose(why);
    why.said = said(421);
    deferred.lose(why);
    EXPECT_THAT(verdicts(refused), ElementsAre(verdict::refused));
    EXPECT_THAT(verdicts(deferred), ElementsAre(verdict::deferred));
}

TEST(mail_progress, eight_bits_found_in_the_body_refuse_with_our_status)
{
    mail_progress message(1, to({"bob@b.example"}));
    message.prepare({});
    message.say(verb::mail);
    message.lose(broken_by(error::eight_bit_body));
    const auto ended = message.take_outcomes();
    EXPECT_EQ(ended.outcomes[0].verdict, verdict::refused);
    EXPECT_EQ(ended.outcomes[0].our_status, (enhanced_code{5, 6, 3}));
}

TEST(mail_progress, another_messages_failure_leaves_it_untried_with_no_status_of_ours)
{
    mail_progress message(1, to({"bob@b.example"}));
    message.leave_untried(broken_by(error::eight_bit_body));
    const auto ended = message.take_outcomes();
    EXPECT_EQ(ended.outcomes[0].verdict, verdict::untried);
    EXPECT_FALSE(ended.outcomes[0].our_status);
}

TEST(mail_progress, refusal_in_the_body_says_so)
{
    mail_progress message(1, to({"bob@b.example"}));
    message.prepare({});
    message.say(verb::mail);
    message.on_mail_reply(said(250));
    message.on_rcpt_reply(message.say(verb::rcpt), said(250));
    message.say(verb::data);
    message.on_refusal_in_body(said(452));
    const auto ended = message.take_outcomes();
    EXPECT_EQ(ended.outcomes[0].verdict, verdict::deferred);
    EXPECT_EQ(ended.outcomes[0].where, phase::body);
    EXPECT_FALSE(ended.outcomes[0].why.empty());
}

verdict after_rcpt(std::shared_ptr<const reply> r)
{
    mail_progress message(1, to({"bob@b.example"}));
    message.prepare({});
    message.say(verb::mail);
    message.on_mail_reply(said(250));
    message.on_rcpt_reply(message.say(verb::rcpt), r);
    return message.take_outcomes().outcomes[0].verdict;
}

TEST(mail_progress, reply_552_to_rcpt_is_read_as_452_unless_it_says_why)
{
    EXPECT_EQ(after_rcpt(said(552)), verdict::deferred);
    EXPECT_EQ(after_rcpt(said(552, enhanced_code{5, 5, 3})), verdict::deferred);
    EXPECT_EQ(after_rcpt(said(552, enhanced_code{5, 0, 0})), verdict::deferred);
    EXPECT_EQ(after_rcpt(said(552, enhanced_code{5, 2, 2})), verdict::refused);
    EXPECT_EQ(after_rcpt(said(552, enhanced_code{5, 3, 4})), verdict::refused);
    EXPECT_EQ(after_rcpt(said(550, enhanced_code{5, 5, 3})), verdict::refused);
}

} // namespace
} // namespace postrider::smtp
