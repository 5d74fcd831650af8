// SPDX-License-Identifier: MIT
// unit/delivery/esmtp_client: what a program is asked and told, on good days and on bad ones, in a
// simulated world.
#include "unit/delivery/esmtp_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider {
namespace {

using namespace std::chrono_literals;
using test::reply_fault;
using test::sim_line;
using test::sim_manners;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

class esmtp_client_test : public testing::Test, protected test::esmtp_stage {
protected:
    void expect_nothing_left()
    {
        world->run();
        EXPECT_EQ(world->open_connections(), 0u);
        EXPECT_EQ(world->open_waits(), 0u);
        EXPECT_EQ(ended, 1);
        link.reset();
        EXPECT_TRUE(client.expired());
    }

    static sim_manners with(std::size_t reply, reply_fault fault)
    {
        sim_manners how;
        how.reply_number = reply;
        how.fault = fault;
        return how;
    }
};

TEST_F(esmtp_client_test, asks_sends_tells_and_says_goodbye)
{
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.asked, ElementsAre("from", "to", "data", "from"));
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250"));
    ASSERT_THAT(*taken, SizeIs(1));
    EXPECT_EQ(taken->front().content, "Subject: hi\r\n\r\nhello\r\n");
    EXPECT_THAT(server->heard(), StartsWith("EHLO client.example\r\n"));
    EXPECT_TRUE(server->heard().ends_with("QUIT\r\n"));
    ASSERT_TRUE(plan.lost);
    EXPECT_TRUE(plan.lost->clean());
    EXPECT_EQ(loop.exit_status(), 0);
    expect_nothing_left();
}

TEST_F(esmtp_client_test, messages_follow_each_other_without_a_reset)
{
    plan.mails = 3;
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, SizeIs(3));
    EXPECT_THAT(plan.told, Each("sent 250, 1 accepted: delivered 250"));
    EXPECT_THAT(*taken, SizeIs(3));
    EXPECT_THAT(server->heard(), Not(HasSubstr("RSET")));
}

TEST_F(esmtp_client_test, a_transaction_left_open_is_reset_before_the_next)
{
    sim_manners how;
    how.to_recipient = [n = 0](const std::string&) mutable -> std::optional<smtp::server::answer> {
        if (n++ == 0)
            return smtp::server::answer{550, {5, 1, 1}, "no such user"};
        return std::nullopt;
    };
    plan.mails = 2;
    begin(how, {}, settings().pipelining(false));
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told,
                ElementsAre("sent 550, 0 accepted: refused 550", "sent 250, 1 accepted: delivered 250"));
    EXPECT_THAT(server->heard(), HasSubstr("RSET\r\nMAIL"));
}

TEST_F(esmtp_client_test, nothing_to_send_is_quit)
{
    plan.mails = 0;
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.asked, ElementsAre("from"));
    EXPECT_THAT(plan.told, IsEmpty());
    EXPECT_EQ(server->heard(), "EHLO client.example\r\nQUIT\r\n");
}

TEST_F(esmtp_client_test, the_null_reverse_path_is_one)
{
    plan.from = [] { return std::optional<std::string>(""); };
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(server->heard(), HasSubstr("MAIL FROM:<>"));
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250"));
}

TEST_F(esmtp_client_test, the_final_reply_decides_where_recipients_differ)
{
    sim_manners how;
    how.to_recipient = [](const std::string& who) -> std::optional<smtp::server::answer> {
        if (who.starts_with("eve"))
            return smtp::server::answer{550, {5, 1, 1}, "no such user"};
        return std::nullopt;
    };
    plan.to = [] { return std::vector<std::string>{"bob@b.example", "eve@b.example", "carl@b.example"}; };
    begin(how);
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 2 accepted: delivered 250, refused 550, delivered 250"));
}

TEST_F(esmtp_client_test, the_last_recipient_decides_if_all_are_refused)
{
    sim_manners how;
    how.to_recipient = [](const std::string& who) -> std::optional<smtp::server::answer> {
        const int code = who.starts_with("bob") ? 550 : 451;
        return smtp::server::answer{code, {code / 100, 7, 1}, "not you"};
    };
    plan.to = [] { return std::vector<std::string>{"bob@b.example", "eve@b.example"}; };
    begin(how);
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 451, 0 accepted: refused 550, deferred 451"));
    EXPECT_EQ(plan.text, "4.7.1 not you");
}

TEST_F(esmtp_client_test, a_refused_sender_or_message_is_told_with_its_reply)
{
    begin({{"", "220 hi\r\n"},
           {"EHLO", "250 hi\r\n"},
           {"MAIL", "553 5.1.8 \x1b[31mwho?\r\n"},
           {"QUIT\r\n", "221 bye\r\n", true}});
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 553, 0 accepted: refused 553"));
    EXPECT_EQ(plan.text, "5.1.8 \\x1b[31mwho?");
    EXPECT_THAT(script->heard(), testing::EndsWith("QUIT\r\n"));
}

TEST_F(esmtp_client_test, a_refused_end_of_data_is_told_with_its_reply)
{
    sim_manners how;
    how.to_message = smtp::server::answer{554, {5, 7, 1}, "spam"};
    begin(how);
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 554, 0 accepted: refused 554"));
    EXPECT_EQ(plan.text, "5.7.1 spam");
}

TEST_F(esmtp_client_test, a_greeting_that_says_no_is_told_without_recipients)
{
    begin(with(1, reply_fault::refusal));
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.asked, IsEmpty());
    EXPECT_THAT(plan.told, ElementsAre("error the server is not available: "));
    ASSERT_TRUE(plan.failure->said);
    EXPECT_EQ(plan.failure->said->code(), 554);
    EXPECT_THAT(plan.failure->sentence, HasSubstr("554"));
    ASSERT_TRUE(plan.lost);
    EXPECT_EQ(plan.lost->error(), error::server_unavailable);
    expect_nothing_left();
}

TEST_F(esmtp_client_test, silence_has_an_end)
{
    begin(with(1, reply_fault::never));
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error timed out: "));
    EXPECT_GE(world->elapsed(), 5min);
    expect_nothing_left();
}

TEST_F(esmtp_client_test, silence_after_the_message_is_doubt)
{
    begin(with(6, reply_fault::never));
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error timed out: in doubt"));
    EXPECT_GE(world->elapsed(), 10min);
    expect_nothing_left();
}

TEST_F(esmtp_client_test, time_limits_are_those_of_the_settings)
{
    begin(with(3, reply_fault::never), {}, settings().timeout(7s));
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error timed out: deferred"));
    EXPECT_LT(world->elapsed(), 8s);
}

TEST_F(esmtp_client_test, a_goodbye_in_between_leaves_the_next_message_untried)
{
    sim_manners how;
    how.messages_max = 1;
    plan.mails = 3;
    begin(how);
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250", HasSubstr(": untried 421")));
    EXPECT_EQ(plan.mails, 1u); // which was not asked for
    expect_nothing_left();
}

} // namespace
} // namespace postrider
