// SPDX-License-Identifier: MIT
// unit/delivery/esmtp_client: what a program is asked and told, on good days and on bad ones, in a
// simulated world.
#include "unit/delivery/esmtp_stage.hpp"

#include "postrider/app/application.hpp"
#include "postrider/app/clients.hpp"

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

// ---- answers that come later --------------------------------------------------------------------

// What a program's coroutine would do: ask somebody else, and answer then.
template <class T>
asio::awaitable<T> later(app::loop& loop, net::clock::duration how_long, T value)
{
    co_await loop.async_sleep(how_long);
    co_return value;
}

template <class T>
asio::awaitable<T> fail_later(app::loop& loop)
{
    co_await loop.async_sleep(1s);
    throw std::runtime_error("the database is gone");
}

TEST_F(esmtp_client_test, every_answer_may_come_later)
{
    plan.mails = 2;
    plan.from = [&] { return later<std::optional<std::string>>(loop, 1s, "ann@a.example"); };
    plan.to = [&] { return later<std::vector<std::string>>(loop, 1s, {"bob@b.example"}); };
    plan.content = [&] { return later<body>(loop, 1s, body("Subject: later\n\nhi\n")); };
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, SizeIs(2));
    EXPECT_THAT(plan.told, Each("sent 250, 1 accepted: delivered 250"));
    EXPECT_EQ(taken->back().content, "Subject: later\r\n\r\nhi\r\n");
    EXPECT_GE(world->elapsed(), 6s);
    expect_nothing_left();
}

TEST_F(esmtp_client_test, a_server_that_loses_patience_while_the_program_thinks_costs_nothing)
{
    sim_manners how;
    how.at_rest = "421 4.4.2 idle for too long\r\n";
    plan.mails = 2;
    plan.from = [&, n = 0]() mutable {
        return later<std::optional<std::string>>(loop, n++ == 0 ? 0s : 1h, "ann@a.example");
    };
    begin(how);
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250",
                                       "error the server is not available: untried 421"));
    EXPECT_THAT(plan.asked, ElementsAre("from", "to", "data", "from", "to", "data"));
    expect_nothing_left();
}

TEST_F(esmtp_client_test, a_server_that_leaves_while_the_program_thinks_and_has_nothing_is_no_matter)
{
    sim_manners how;
    how.at_rest = "421 4.4.2 idle for too long\r\n";
    plan.from = [&, n = 0]() mutable -> app::eventually<std::optional<std::string>> {
        if (n++ == 0)
            return std::optional<std::string>("ann@a.example");
        return later<std::optional<std::string>>(loop, 1h, std::nullopt);
    };
    plan.mails = 2;
    begin(how);
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250"));
    EXPECT_TRUE(plan.lost->clean());
    expect_nothing_left();
}

// ---- what a program may give --------------------------------------------------------------------

class esmtp_client_given : public esmtp_client_test, public testing::WithParamInterface<const char*> {};

TEST_P(esmtp_client_given, a_sender_that_cannot_be_used_is_said_to_nobody)
{
    plan.mails = 5;
    plan.from = [] { return std::optional<std::string>(GetParam()); };
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error invalid argument: "));
    EXPECT_THAT(plan.asked, ElementsAre("from"));
    EXPECT_THAT(plan.failure->sentence, StartsWith("get_mail_from() gave '"));
    EXPECT_EQ(plan.failure->sentence.find_first_of("\r\n"), std::string::npos);
    EXPECT_EQ(server->heard(), "EHLO client.example\r\nQUIT\r\n");
    expect_nothing_left();
}

TEST_P(esmtp_client_given, a_recipient_that_cannot_be_used_is_said_to_nobody)
{
    plan.mails = 5;
    plan.to = [] { return std::vector<std::string>{"bob@b.example", GetParam(), "eve@b.example"}; };
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error invalid argument: untried, untried"));
    EXPECT_THAT(plan.failure->sentence, StartsWith("get_mail_to() gave '"));
    EXPECT_EQ(server->heard(), "EHLO client.example\r\nQUIT\r\n");
    expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(address, esmtp_client_given,
                         testing::Values("a@b.example\r\nRCPT TO:<eve@b.example>", "a\nb@b.example",
                                         "a@b\r.example", "nobody", "a@b@c.example", "<a@b.example>",
                                         "a b@c.example", "a@b.example, c@d.example", "\xff\xfe@b.example",
                                         "a@\xff.example", "Ann <a@b.example>"));

TEST_F(esmtp_client_test, a_nul_is_said_to_nobody)
{
    plan.from = [] { return std::optional<std::string>(std::string("a\0b@c.example", 13)); };
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error invalid argument: "));
    EXPECT_EQ(server->heard(), "EHLO client.example\r\nQUIT\r\n");
}

TEST_F(esmtp_client_test, nobody_to_send_to_is_an_error)
{
    plan.to = [] { return std::vector<std::string>(); };
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error invalid argument: "));
    EXPECT_THAT(plan.failure->sentence, HasSubstr("nobody"));
    EXPECT_EQ(server->heard(), "EHLO client.example\r\nQUIT\r\n");
}

// What this message needs and the server has not got says nothing about the next.
TEST_F(esmtp_client_test, an_address_beyond_ascii_needs_a_server_that_takes_it)
{
    plan.mails = 2;
    plan.to = [n = 0]() mutable {
        return std::vector<std::string>{n++ == 0 ? "b\xC3\xB6"
                                                   "b@b.example"
                                                 : "bob@b.example"};
    };
    sim_manners how;
    how.options.smtputf8 = false;
    begin(how);
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error not every recipient could be served: refused",
                                       "sent 250, 1 accepted: delivered 250"));
    EXPECT_EQ(server->heard().find('\xC3'), std::string::npos);
    EXPECT_TRUE(plan.lost->clean());
}

TEST_F(esmtp_client_test, a_name_of_ours_that_is_none_is_told_before_a_word_is_said)
{
    class nameless final : public test::planned_client {
    public:
        nameless(test::esmtp_plan& plan) : planned_client(plan, {}, "not a name") {}
    };
    server = std::make_shared<test::sim_mail_server>("mx.example.org", sim_manners(), taken);
    esmtp_stage::begin<nameless>(server, sim_line(), plan);
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error invalid argument: "));
    EXPECT_THAT(plan.failure->sentence, HasSubstr("not a name"));
    EXPECT_EQ(server->heard(), "");
    expect_nothing_left();
}

// ---- what a program may throw -------------------------------------------------------------------

TEST_F(esmtp_client_test, get_mail_from_throws)
{
    plan.from = []() -> test::esmtp_plan::sender { throw std::runtime_error("out of paper"); };
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error invalid argument: "));
    EXPECT_THAT(plan.failure->sentence,
                testing::AllOf(HasSubstr("get_mail_from()"), HasSubstr("out of paper")));
    EXPECT_THAT(log, Contains(testing::AllOf(StartsWith("[planned_client,client] error:"),
                                             HasSubstr("out of paper"))));
    EXPECT_EQ(loop.exit_status(), 70);
    EXPECT_TRUE(server->heard().ends_with("QUIT\r\n"));
    expect_nothing_left();
}

TEST_F(esmtp_client_test, get_mail_to_throws_now_or_later)
{
    for (const bool at_once : {true, false}) {
        plan.told.clear();
        plan.mails = 2;
        ended = 0;
        plan.to = [&]() -> test::esmtp_plan::recipients {
            if (at_once)
                throw std::runtime_error("the database is gone");
            return fail_later<std::vector<std::string>>(loop);
        };
        begin();
        ASSERT_TRUE(run());
        EXPECT_THAT(plan.told, ElementsAre("error invalid argument: "));
        EXPECT_THAT(plan.failure->sentence, HasSubstr("the database is gone"));
        EXPECT_EQ(plan.mails, 1u);
        EXPECT_EQ(server->heard(), "EHLO client.example\r\nQUIT\r\n");
        expect_nothing_left();
    }
}

TEST_F(esmtp_client_test, get_mail_data_throws_now_or_later)
{
    for (const bool at_once : {true, false}) {
        plan.told.clear();
        plan.mails = 1;
        ended = 0;
        plan.content = [&]() -> test::esmtp_plan::data {
            if (at_once)
                throw std::system_error(std::make_error_code(std::errc::no_such_file_or_directory),
                                        "mail.txt");
            return fail_later<body>(loop);
        };
        begin();
        ASSERT_TRUE(run());
        EXPECT_THAT(plan.told, SizeIs(1));
        EXPECT_THAT(plan.told[0], testing::AllOf(StartsWith("error "), testing::EndsWith(": untried")));
        EXPECT_EQ(plan.failure->error, at_once ? std::make_error_code(std::errc::no_such_file_or_directory)
                                               : make_error_code(error::body_failed));
        EXPECT_EQ(plan.failure->recipients.at(0).why, plan.failure->sentence);
        expect_nothing_left();
    }
}

TEST_F(esmtp_client_test, sent_mail_throws)
{
    plan.mails = 2;
    plan.when_sent = [] { throw std::logic_error("what now?"); };
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250"));
    EXPECT_EQ(plan.mails, 1u);
    EXPECT_EQ(loop.exit_status(), 70);
    EXPECT_TRUE(server->heard().ends_with("QUIT\r\n"));
    expect_nothing_left();
}

TEST_F(esmtp_client_test, send_error_throws)
{
    plan.when_failed = [] { throw std::logic_error("what now?"); };
    begin(with(6, reply_fault::half));
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error connection lost: in doubt"));
    EXPECT_EQ(loop.exit_status(), 70);
    expect_nothing_left();
}

// Throws where it is told to.
class throwing_source final : public body_source {
public:
    enum class when { looked_at, opened, read } at;
    explicit throwing_source(when w) : at(w) {}

    std::optional<bool> eight_bit() const override
    {
        if (at == when::looked_at)
            throw std::runtime_error("the disk is gone");
        return std::nullopt;
    }

    std::unique_ptr<body_reader> open() override
    {
        class reader final : public body_reader {
        public:
            status read(std::string_view& range) override
            {
                if (std::exchange(begun_, true))
                    throw std::runtime_error("the disk is gone");
                range = "Subject: hi\r\n";
                return status::ready;
            }

        private:
            bool begun_ = false;
        };
        if (at != when::read)
            throw std::runtime_error("the disk is gone");
        return std::make_unique<reader>();
    }
};

TEST_F(esmtp_client_test, a_source_that_throws_has_failed)
{
    using when = throwing_source::when;
    for (const when at : {when::looked_at, when::opened, when::read}) {
        plan.told.clear();
        plan.mails = 2;
        ended = 0;
        plan.content = [at] { return body(std::make_shared<throwing_source>(at)); };
        begin();
        ASSERT_TRUE(run());
        EXPECT_THAT(plan.told, ElementsAre("error the message could not be read to its end: deferred"));
        EXPECT_THAT(plan.failure->sentence, HasSubstr("the disk is gone"));
        EXPECT_EQ(server->heard().find("\r\n.\r\n"), std::string::npos);
        EXPECT_THAT(*taken, IsEmpty());
        expect_nothing_left();
    }
}

// ---- stopping -----------------------------------------------------------------------------------

TEST_F(esmtp_client_test, a_stop_lets_the_message_end_and_asks_for_no_other)
{
    sim_manners slow;
    slow.thinking = 1s;
    plan.mails = 5;
    begin(slow);
    run_until([&] { return server->heard().find("MAIL") != std::string::npos; });
    link->request_stop();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250"));
    EXPECT_EQ(plan.mails, 4u);
    EXPECT_TRUE(server->heard().ends_with("QUIT\r\n"));
    EXPECT_TRUE(plan.lost->clean());
    expect_nothing_left();
}

TEST_F(esmtp_client_test, a_stop_while_the_program_thinks_of_another_message_is_goodbye_at_once)
{
    plan.mails = 2;
    plan.from = [&, n = 0]() mutable {
        return later<std::optional<std::string>>(loop, n++ == 0 ? 0s : 1h, "ann@a.example");
    };
    begin();
    run_until([&] { return plan.asked.size() == 4; });
    link->request_stop();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250"));
    EXPECT_TRUE(server->heard().ends_with("QUIT\r\n"));
    EXPECT_LT(world->elapsed(), 1min);
    EXPECT_EQ(loop.exit_status(), 0);
    expect_nothing_left();
}

TEST_F(esmtp_client_test, a_stop_while_the_program_thinks_of_a_message_that_it_began_waits_for_it)
{
    plan.mails = 2;
    plan.content = [&] { return later<body>(loop, 5s, body("Subject: later\n\nhi\n")); };
    begin();
    run_until([&] { return plan.asked.size() == 3; });
    link->request_stop();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250"));
    EXPECT_EQ(plan.mails, 1u);
    expect_nothing_left();
}

TEST_F(esmtp_client_test, a_stop_before_the_greeting_is_goodbye_after_it)
{
    sim_manners slow;
    slow.thinking = 1s;
    begin(slow);
    world->run(100ms);
    link->request_stop();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.asked, IsEmpty());
    EXPECT_EQ(server->heard(), "EHLO client.example\r\nQUIT\r\n");
    EXPECT_TRUE(plan.lost->clean());
}

// The same cut in every phase: what is known of the message is told before the connection is said to
// be lost, and that once.
TEST_F(esmtp_client_test, a_cut_is_told_with_verdicts)
{
    struct {
        const char* heard;
        const char* told;
    } const phases[] = {
        {"MAIL", "error cancelled: deferred"},
        {"\r\n.\r\n", "error cancelled: in doubt"},
    };
    for (const auto& phase : phases) {
        SCOPED_TRACE(phase.heard);
        plan.told.clear();
        plan.mails = 3;
        ended = 0;
        sim_manners slow;
        slow.thinking = 1s;
        begin(slow);
        run_until([&] { return server->heard().find(phase.heard) != std::string::npos; });
        link->cut(app::reason(make_error_code(error::cancelled), "out of patience"));
        ASSERT_TRUE(run());
        EXPECT_THAT(plan.told, ElementsAre(phase.told));
        EXPECT_EQ(plan.failure->sentence, "out of patience");
        EXPECT_EQ(plan.lost->sentence(), "out of patience");
        EXPECT_EQ(plan.mails, 2u);
        expect_nothing_left();
    }
}

TEST_F(esmtp_client_test, a_cut_while_the_program_thinks_is_told_and_ends_its_thinking)
{
    plan.content = [&] { return later<body>(loop, 1h, body("hi\n")); };
    begin();
    run_until([&] { return plan.asked.size() == 3; });
    link->cut(app::reason(make_error_code(error::cancelled), "out of patience"));
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, ElementsAre("error cancelled: untried"));
    expect_nothing_left();
    EXPECT_LT(world->elapsed(), 1min);
    EXPECT_EQ(loop.exit_status(), 0);
}

TEST_F(esmtp_client_test, a_cut_without_a_message_tells_nothing)
{
    begin(with(1, reply_fault::never));
    world->run(1s);
    link->cut(app::reason(make_error_code(error::cancelled), "out of patience"));
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.told, IsEmpty());
    expect_nothing_left();
}

TEST_F(esmtp_client_test, a_program_may_drop_the_connection_in_a_callback)
{
    plan.mails = 3;
    plan.when_sent = [&] {
        if (const auto alive = client.lock())
            alive->transport().abort_connection();
    };
    begin();
    ASSERT_TRUE(run());
    EXPECT_EQ(plan.told.front(), "sent 250, 1 accepted: delivered 250");
    EXPECT_LE(plan.told.size(), 2u); // a message that was asked for meanwhile is told as well
    EXPECT_EQ(plan.told.size(), 3 - plan.mails);
    expect_nothing_left();
}

TEST_F(esmtp_client_test, a_loop_that_ends_takes_its_message_back)
{
    begin(with(6, reply_fault::never));
    run_until([&] { return server->heard().find("\r\n.\r\n") != std::string::npos; });
    loop.stop();
    world->settle();
    EXPECT_THAT(plan.told, ElementsAre("error cancelled: in doubt"));
    EXPECT_EQ(world->open_connections(), 0u);
}

TEST_F(esmtp_client_test, a_loop_that_ends_while_the_program_thinks_takes_its_message_back)
{
    plan.content = [&] { return later<body>(loop, 1h, body("hi\n")); };
    begin();
    run_until([&] { return plan.asked.size() == 3; });
    loop.stop();
    world->settle();
    EXPECT_THAT(plan.told, ElementsAre("error cancelled: untried"));
    EXPECT_EQ(world->open_connections(), 0u);
    EXPECT_EQ(loop.exit_status(), 0);
}

// The tutorial's eighth step: a clean end, out of the callback.
TEST_F(esmtp_client_test, the_application_may_be_stopped_inside_sent_mail)
{
    class makes_clients final : public app::client_factory {
    public:
        explicit makes_clients(test::esmtp_plan& plan) : plan_(plan) {}
        std::shared_ptr<app::protocol> build_protocol(const std::string&) override
        {
            return std::make_shared<test::planned_client>(plan_);
        }

    private:
        test::esmtp_plan& plan_;
    };
    app::application application("tutorial", app::engine_in(world));
    test::sim_place place;
    place.server = [&] {
        return server = std::make_shared<test::sim_mail_server>("mx.example.org", sim_manners(), taken);
    };
    world->put("192.0.2.1:25", place);
    application.emplace<app::tcp_client>("192.0.2.1", std::uint16_t{25},
                                         std::make_shared<makes_clients>(plan));
    plan.mails = 5;
    plan.when_sent = [&] { application.loop().stop(); };
    application.start();
    world->run(1h);
    EXPECT_THAT(plan.told, ElementsAre("sent 250, 1 accepted: delivered 250"));
    EXPECT_EQ(plan.mails, 4u);
    ASSERT_TRUE(server);
    EXPECT_TRUE(server->heard().ends_with("QUIT\r\n"));
    ASSERT_TRUE(plan.lost);
    EXPECT_TRUE(plan.lost->clean());
    EXPECT_FALSE(application.running());
    EXPECT_EQ(application.loop().exit_status(), 0);
    EXPECT_EQ(world->open_connections(), 0u);
}

TEST(esmtp_client, a_loop_that_goes_in_the_middle_of_a_message_leaves_nothing_behind)
{
    test::esmtp_stage stage;
    stage.plan.content = [&] { return later<body>(stage.loop, 1h, body("hi\n")); };
    stage.begin();
    stage.run_until([&] { return stage.plan.asked.size() == 3; });
}

// ---- exactly once -------------------------------------------------------------------------------

// Cut after every octet of a whole conversation, either way: each message that was begun is told once,
// and nothing is called what it is not.
TEST(esmtp_client, tells_each_message_once_wherever_the_line_is_cut)
{
    for (const bool down : {true, false})
        for (const auto how : {sim_line::cut::reset, sim_line::cut::half_close, sim_line::cut::silence}) {
            bool whole = false;
            for (std::uint64_t at = 0; !whole; ++at) {
                SCOPED_TRACE(fmt::format("{} {} after {}", down ? "down" : "up", static_cast<int>(how), at));
                test::esmtp_stage stage(at);
                stage.plan.mails = 2;
                stage.plan.to = [] { return std::vector<std::string>{"bob@b.example", "eve@b.example"}; };
                sim_line line;
                (down ? line.cut_down_after : line.cut_up_after) = at;
                line.how = how;
                stage.begin({}, line);
                ASSERT_TRUE(stage.run());
                stage.world->run();
                const auto& told = stage.plan.told;
                const std::size_t begun = 2 - stage.plan.mails;
                const bool failed_before = begun == 0 && told.size() == 1;
                ASSERT_TRUE(told.size() == begun || failed_before) << testing::PrintToString(told);
                std::size_t delivered = 0, doubtful = 0;
                for (const std::string& one : told) {
                    delivered += one == "sent 250, 2 accepted: delivered 250, delivered 250";
                    doubtful += one.find("in doubt, in doubt") != std::string::npos;
                }
                EXPECT_LE(delivered, stage.taken->size());
                EXPECT_LE(stage.taken->size(), delivered + doubtful);
                EXPECT_EQ(stage.world->open_connections(), 0u);
                EXPECT_EQ(stage.world->open_waits(), 0u);
                EXPECT_EQ(stage.ended, 1);
                whole = delivered == 2 && at > 300;
                ASSERT_LT(at, 3000u);
            }
        }
}

// The same from this side: whatever has been said when the service runs out of patience.
TEST(esmtp_client, tells_each_message_once_whenever_it_is_cut_by_us)
{
    bool whole = false;
    for (std::size_t at = 0; !whole; ++at) {
        SCOPED_TRACE(at);
        test::esmtp_stage stage;
        stage.plan.mails = 2;
        sim_line line;
        line.piece_max = 3;
        stage.begin({}, line);
        whole = stage.run_until([&] { return stage.server->heard().size() >= at || stage.ended > 0; }) &&
                stage.ended > 0;
        if (!whole)
            stage.link->cut(app::reason(make_error_code(error::cancelled), "out of patience"));
        ASSERT_TRUE(stage.run());
        stage.world->run();
        const std::size_t begun = 2 - stage.plan.mails;
        EXPECT_EQ(stage.plan.told.size(), begun) << testing::PrintToString(stage.plan.told);
        for (const std::string& one : stage.plan.told)
            EXPECT_THAT(one, testing::AnyOf("sent 250, 1 accepted: delivered 250", "error cancelled: untried",
                                            "error cancelled: deferred", "error cancelled: in doubt"));
        EXPECT_EQ(stage.world->open_connections(), 0u);
        EXPECT_EQ(stage.world->open_waits(), 0u);
        ASSERT_LT(at, 3000u);
    }
}

// ---- the log of the conversation, and the defaults ----------------------------------------------

TEST_F(esmtp_client_test, the_log_has_both_sides_and_no_body)
{
    begin();
    ASSERT_TRUE(run());
    EXPECT_THAT(plan.log, Contains("C: MAIL FROM:<ann@a.example>"));
    EXPECT_THAT(plan.log, Contains("C: RCPT TO:<bob@b.example>"));
    EXPECT_THAT(plan.log, Contains(StartsWith("S: 354")));
    EXPECT_THAT(plan.log, Contains(StartsWith("C: (")));
    EXPECT_THAT(plan.log, Not(Contains(HasSubstr("hello"))));
    EXPECT_THAT(plan.log.back(), StartsWith("S: 250"));
}

TEST_F(esmtp_client_test, the_log_is_bounded_and_escaped_whatever_a_server_says)
{
    std::string endless = "220-\x1b[2J\r\n";
    for (int i = 0; i < 60; ++i)
        endless += "220-" + std::string(700, 'x') + "\r\n";
    endless += "220 hi\r\n";
    std::string many;
    for (int i = 0; i < 60; ++i)
        many += fmt::format("250-EXTENSION{}\r\n", i);
    begin({{"", endless}, {"EHLO", many + "250 hi\r\n"}, {"MAIL", "550 no\r\n"}});
    ASSERT_TRUE(run());
    ASSERT_THAT(plan.told, SizeIs(1));
    EXPECT_EQ(plan.log.size(), 100u);
    for (const std::string& line : plan.log) {
        EXPECT_LE(line.size(), 512u);
        EXPECT_EQ(line.find('\x1b'), std::string::npos);
    }
    EXPECT_EQ(plan.log.back(), "S: 550 no");
}

TEST_F(esmtp_client_test, the_trace_of_the_settings_hears_all_as_well)
{
    std::size_t lines = 0;
    begin({}, {}, settings().trace([&](const trace_line&) { ++lines; }));
    ASSERT_TRUE(run());
    EXPECT_GT(lines, 10u);
}

// Overrides nothing.
class silent_client final : public esmtp_client {
public:
    silent_client() : esmtp_client("client.example") {}
    std::string log_prefix() const override { return "silent_client"; }
};

TEST_F(esmtp_client_test, one_that_overrides_nothing_is_told_what_to_do)
{
    server = std::make_shared<test::sim_mail_server>("mx.example.org", sim_manners(), taken);
    esmtp_stage::begin<silent_client>(server, sim_line());
    ASSERT_TRUE(run());
    EXPECT_THAT(log, ElementsAre("[silent_client,client] warning: there is no mail to send: override "
                                 "get_mail_from(), get_mail_to() and get_mail_data()"));
    EXPECT_EQ(server->heard(), "EHLO client.example\r\nQUIT\r\n");
    EXPECT_EQ(loop.exit_status(), 0);
}

// Has messages to send, and takes everything else as it comes.
class plain_client final : public esmtp_client {
public:
    explicit plain_client(bool complete) : esmtp_client("client.example"), complete_(complete) {}

    app::eventually<std::optional<std::string>> get_mail_from() override
    {
        if (std::exchange(asked_, true))
            return std::optional<std::string>();
        return std::optional<std::string>("ann@a.example");
    }
    app::eventually<std::vector<std::string>> get_mail_to() override
    {
        return std::vector<std::string>{"bob@b.example"};
    }
    app::eventually<body> get_mail_data() override
    {
        return complete_ ? app::eventually<body>("hi\n") : esmtp_client::get_mail_data();
    }
    std::string log_prefix() const override { return "plain_client"; }

private:
    bool complete_, asked_ = false;
};

TEST_F(esmtp_client_test, one_that_forgets_the_message_is_told_which_function_is_missing)
{
    server = std::make_shared<test::sim_mail_server>("mx.example.org", sim_manners(), taken);
    esmtp_stage::begin<plain_client>(server, sim_line(), false);
    ASSERT_TRUE(run());
    EXPECT_THAT(log, Contains(HasSubstr("override get_mail_data()")));
    EXPECT_THAT(*taken, IsEmpty());
    EXPECT_EQ(loop.exit_status(), 70);
}

TEST_F(esmtp_client_test, the_defaults_log_what_became_of_a_message)
{
    server = std::make_shared<test::sim_mail_server>("mx.example.org", sim_manners(), taken);
    esmtp_stage::begin<plain_client>(server, sim_line(), true);
    ASSERT_TRUE(run());
    EXPECT_THAT(log, ElementsAre(testing::AllOf(StartsWith("[plain_client,client] info: "), HasSubstr("250"),
                                                HasSubstr("1 of 1"))));
    EXPECT_EQ(loop.exit_status(), 0);
}

TEST_F(esmtp_client_test, the_defaults_note_a_failure_for_the_exit_status)
{
    server = std::make_shared<test::sim_mail_server>("mx.example.org", with(3, reply_fault::half), taken);
    esmtp_stage::begin<plain_client>(server, sim_line(), true);
    ASSERT_TRUE(run());
    EXPECT_THAT(log, ElementsAre(StartsWith("[plain_client,client] error: ")));
    EXPECT_EQ(loop.exit_status(), 69);
}

TEST_F(esmtp_client_test, the_defaults_tell_a_peer_that_speaks_something_else)
{
    begin<plain_client>(script = std::make_shared<test::sim_script>(
                            std::vector<test::sim_script::step>{{"", "HTTP/1.1 400 Bad Request\r\n", true}}),
                        sim_line(), true);
    ASSERT_TRUE(run());
    EXPECT_THAT(log, ElementsAre(StartsWith("[plain_client,client] error: ")));
    EXPECT_EQ(loop.exit_status(), 76);
}

} // namespace
} // namespace postrider
