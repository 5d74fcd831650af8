// SPDX-License-Identifier: MIT
// unit/delivery/send_mail: one message, one call, as many connections as it takes, in a simulated world.
#include "postrider/send_mail.hpp"

#include "delivery/in_world.hpp"
#include "postrider/error.hpp"
#include "support/sim_mail.hpp"
#include "support/sim_mail_server.hpp"
#include "support/sim_script.hpp"
#include "support/sim_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace postrider {
namespace {

using namespace std::chrono_literals;
using test::reply_fault;
using test::sim_line;
using test::sim_manners;
using test::sim_place;
using test::verdicts;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Can be read once.
class stream_source final : public body_source {
public:
    explicit stream_source(std::string octets) : octets_(std::move(octets)) {}

    std::unique_ptr<body_reader> open() override
    {
        if (std::exchange(opened_, true))
            return nullptr;
        return body::view(octets_).open();
    }

private:
    std::string octets_;
    bool opened_ = false;
};

class send_mail_test : public testing::Test {
protected:
    // What stands at the server's address, one connection after the other; the last stays.
    void at_the_server(std::vector<sim_place> places)
    {
        world->dns("mx.example.org A 192.0.2.1");
        place_ = 0;
        places_ = std::move(places);
        next_place();
    }

    sim_place honest(sim_manners how = {}, sim_line line = {})
    {
        sim_place place;
        place.server = [this, how] {
            next_place();
            return std::make_shared<test::sim_mail_server>("mx.example.org", how, taken);
        };
        place.line = [line] { return line; };
        return place;
    }

    static sim_manners with(std::size_t reply, reply_fault fault)
    {
        sim_manners how;
        how.reply_number = reply;
        how.fault = fault;
        return how;
    }

    static message to(std::initializer_list<std::string_view> recipients,
                      body content = "Subject: hi\n\nhello\n")
    {
        return {envelope("ann@a.example", recipients), std::move(content)};
    }

    void start(message what, retries again = retries(), settings how = {})
    {
        auto done = [this](error_code e, report r) {
            ec = e;
            got.push_back(std::move(r));
        };
        delivery::send_mail_in(world, server("mx.example.org"), std::move(what),
                               how.our_name("client.example"), again,
                               asio::bind_cancellation_slot(stop.slot(), done));
    }

    report send(message what, retries again = retries(), settings how = {})
    {
        start(std::move(what), again, std::move(how));
        EXPECT_TRUE(world->run(24h, [&] { return !got.empty(); }));
        world->run();
        EXPECT_EQ(world->open_connections(), 0u);
        EXPECT_EQ(world->open_waits(), 0u);
        EXPECT_THAT(got, SizeIs(1));
        return got.empty() ? report() : got.front();
    }

    std::size_t connections() const { return world->connects().size(); }

    asio::io_context context;
    std::shared_ptr<test::sim_world> world = std::make_shared<test::sim_world>(context, 1);
    std::shared_ptr<test::ledger> taken = std::make_shared<test::ledger>();
    asio::cancellation_signal stop;
    std::vector<report> got;
    error_code ec;

private:
    void next_place()
    {
        if (place_ < places_.size())
            world->put("192.0.2.1:25", places_[place_++]);
    }

    std::vector<sim_place> places_;
    std::size_t place_ = 0;
};

TEST_F(send_mail_test, one_call_connects_sends_and_says_goodbye)
{
    std::shared_ptr<test::sim_mail_server> there;
    sim_place place;
    place.server = [&] {
        return there = std::make_shared<test::sim_mail_server>("mx.example.org", sim_manners(), taken);
    };
    at_the_server({place});
    const report r = send(to({"bob@b.example", "eve@b.example"}));
    EXPECT_FALSE(ec);
    EXPECT_EQ(verdicts(r), "delivered 250, delivered 250");
    EXPECT_EQ(connections(), 1u);
    ASSERT_THAT(*taken, SizeIs(1));
    EXPECT_EQ(taken->front().content, "Subject: hi\r\n\r\nhello\r\n");
    EXPECT_THAT(there->heard(), HasSubstr("EHLO client.example\r\n"));
    EXPECT_TRUE(there->heard().ends_with("QUIT\r\n"));
}

TEST_F(send_mail_test, a_connection_lost_before_the_result_is_made_again_with_everybody_and_the_whole_body)
{
    sim_line cut;
    cut.window = 100; // or all of the body would be with the operating system
    cut.cut_up_after = 400;
    at_the_server({honest({}, cut), honest()});
    const std::string text = "Subject: hi\r\n\r\n" + std::string(60, 'x') + "\r\n" + std::string(900, 'y') +
                             "\r\n";
    const report r = send(to({"bob@b.example", "eve@b.example"}, text));
    EXPECT_FALSE(ec) << ec.message();
    EXPECT_EQ(verdicts(r), "delivered 250, delivered 250");
    EXPECT_EQ(connections(), 2u);
    ASSERT_THAT(*taken, SizeIs(1));
    EXPECT_EQ(taken->front().content, text);
    EXPECT_THAT(taken->front().recipients, testing::ElementsAre("bob@b.example", "eve@b.example"));
}

TEST_F(send_mail_test, a_server_that_is_away_is_asked_so_often_and_no_more)
{
    sim_place away;
    away.what = sim_place::kind::refuses;
    at_the_server({away});
    const report r = send(to({"bob@b.example"}), retries(4));
    EXPECT_EQ(ec, make_error_code(error::unreachable));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_EQ(r.recipients[0].where, phase::connect);
    EXPECT_THAT(r.recipients[0].why, HasSubstr("refused the connection"));
    EXPECT_EQ(connections(), 4u);
}

TEST_F(send_mail_test, zero_connections_are_one)
{
    sim_place away;
    away.what = sim_place::kind::refuses;
    at_the_server({away});
    EXPECT_EQ(verdicts(send(to({"bob@b.example"}), retries(0))), "deferred");
    EXPECT_EQ(connections(), 1u);
}

// Full jitter: each wait is anything from nothing to its bound, which doubles up to the longest.
TEST_F(send_mail_test, the_waits_grow_are_bounded_and_differ)
{
    sim_place away;
    away.what = sim_place::kind::refuses;
    away.connect_delay = 0ms;
    std::vector<long> longest(7), shortest(7, 1'000'000);
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        asio::io_context other;
        world = std::make_shared<test::sim_world>(other, seed);
        world->dns_delay = 0ms;
        got.clear();
        at_the_server({away});
        (void)send(to({"bob@b.example"}), retries(8, 1s, 8s));
        ASSERT_EQ(connections(), 8u);
        long before = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            const long at = std::stol(world->connects()[i]);
            if (i > 0) {
                longest[i - 1] = std::max(longest[i - 1], at - before);
                shortest[i - 1] = std::min(shortest[i - 1], at - before);
            }
            before = at;
        }
        world.reset();
    }
    const long bounds[] = {1000, 2000, 4000, 8000, 8000, 8000, 8000};
    for (std::size_t i = 0; i < 7; ++i) {
        EXPECT_LE(longest[i], bounds[i]) << i;
        EXPECT_GT(longest[i], bounds[i] * 8 / 10) << i;
        EXPECT_LT(shortest[i], bounds[i] * 2 / 10) << i;
    }
}

TEST_F(send_mail_test, dns_that_fails_may_come_back)
{
    world->dns("mx.example.org SERVFAIL");
    const report r = send(to({"bob@b.example"}), retries(3));
    EXPECT_EQ(ec, make_error_code(error::lookup_failed));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_EQ(connections(), 0u);
    EXPECT_GT(world->elapsed(), 20ms); // there were waits
}

TEST_F(send_mail_test, a_server_that_does_not_exist_is_not_looked_for_again)
{
    const report r = send(to({"bob@b.example"}));
    EXPECT_EQ(ec, make_error_code(error::lookup_failed));
    EXPECT_EQ(verdicts(r), "refused");
    EXPECT_LT(world->elapsed(), 100ms);
}

TEST_F(send_mail_test, a_goodbye_is_no_last_word)
{
    at_the_server({honest(with(1, reply_fault::goodbye)), honest(with(3, reply_fault::goodbye)), honest()});
    const report r = send(to({"bob@b.example"}));
    EXPECT_FALSE(ec);
    EXPECT_EQ(verdicts(r), "delivered 250");
    EXPECT_EQ(connections(), 3u);
    EXPECT_FALSE(r.recipients[0].error);
}

TEST_F(send_mail_test, the_last_words_of_a_server_that_stays_away_are_in_the_report)
{
    at_the_server({honest(with(1, reply_fault::goodbye))});
    const report r = send(to({"bob@b.example"}), retries(2));
    EXPECT_EQ(ec, make_error_code(error::server_unavailable));
    EXPECT_EQ(verdicts(r), "deferred 421");
    EXPECT_EQ(r.recipients[0].peer, "192.0.2.1:25");
    EXPECT_EQ(connections(), 2u);
}

TEST_F(send_mail_test, what_the_server_said_is_its_word)
{
    for (int code : {451, 550}) {
        sim_manners no;
        no.to_recipient = [code](const std::string& who) -> std::optional<smtp::server::answer> {
            if (who.starts_with("bob"))
                return smtp::server::answer{code, {code / 100, 7, 1}, "no"};
            return std::nullopt;
        };
        at_the_server({honest(no)});
        got.clear();
        const std::size_t before = connections();
        const report r = send(to({"bob@b.example", "eve@b.example"}));
        EXPECT_FALSE(ec);
        EXPECT_EQ(verdicts(r),
                  fmt::format("{} {}, delivered 250", code == 451 ? "deferred" : "refused", code));
        EXPECT_EQ(connections(), before + 1);
    }
}

TEST_F(send_mail_test, a_greeting_that_says_never_is_believed)
{
    at_the_server({honest(with(1, reply_fault::refusal))});
    const report r = send(to({"bob@b.example"}));
    EXPECT_EQ(ec, make_error_code(error::server_unavailable));
    EXPECT_EQ(verdicts(r), "refused 554");
    EXPECT_EQ(connections(), 1u);
}

TEST_F(send_mail_test, nonsense_is_not_asked_for_twice)
{
    at_the_server({honest(with(1, reply_fault::garbage))});
    const report r = send(to({"bob@b.example"}));
    EXPECT_EQ(ec, make_error_code(error::protocol_broken));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_EQ(connections(), 1u);
}

TEST_F(send_mail_test, in_doubt_is_left_in_doubt)
{
    at_the_server({honest(with(6, reply_fault::half)), honest()});
    const report r = send(to({"bob@b.example"}));
    EXPECT_EQ(ec, make_error_code(error::connection_lost));
    EXPECT_EQ(verdicts(r), "in doubt");
    EXPECT_EQ(connections(), 1u);
    EXPECT_THAT(*taken, SizeIs(1));
}

// A cut at any octet of either side: nobody gets the message twice, and everybody once where that is
// known to be possible.
TEST_F(send_mail_test, nothing_is_sent_twice_wherever_it_is_cut)
{
    for (const bool down : {true, false}) {
        for (std::uint64_t at = 1;; ++at) {
            asio::io_context other;
            world = std::make_shared<test::sim_world>(other, at);
            taken->clear();
            got.clear();
            sim_line cut;
            (down ? cut.cut_down_after : cut.cut_up_after) = at;
            at_the_server({honest({}, cut), honest()});
            const report r = send(to({"bob@b.example", "eve@b.example"}));
            const std::size_t connected = connections();
            if (r.all_delivered()) {
                EXPECT_FALSE(ec);
                EXPECT_THAT(*taken, SizeIs(1)) << at;
            } else {
                EXPECT_EQ(verdicts(r), "in doubt, in doubt") << at;
                EXPECT_EQ(ec, make_error_code(error::connection_lost)) << at;
                EXPECT_LE(taken->size(), 1u) << at;
                EXPECT_EQ(connected, 1u) << at;
            }
            world.reset();
            taken->clear();
            if (connected == 1 && r.all_delivered() && at > 150)
                break;
            ASSERT_LT(at, 2000u);
        }
    }
}

TEST_F(send_mail_test, a_stream_is_sent_again_as_long_as_it_was_not_begun)
{
    sim_place away;
    away.what = sim_place::kind::refuses;
    at_the_server({honest(with(1, reply_fault::half)), honest(with(3, reply_fault::goodbye)), honest()});
    const report r =
        send(to({"bob@b.example"}, body(std::make_shared<stream_source>("Subject: hi\r\n\r\nhello\r\n"))));
    EXPECT_EQ(verdicts(r), "delivered 250");
    EXPECT_EQ(connections(), 3u);
    EXPECT_EQ(taken->front().content, "Subject: hi\r\n\r\nhello\r\n");
}

TEST_F(send_mail_test, a_stream_that_was_begun_is_not_sent_again)
{
    sim_line cut;
    cut.window = 100;
    cut.cut_up_after = 400;
    at_the_server({honest({}, cut), honest()});
    const report r =
        send(to({"bob@b.example"}, body(std::make_shared<stream_source>(std::string(9000, 'x')))));
    EXPECT_EQ(ec, make_error_code(error::connection_lost));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_THAT(r.recipients[0].why, HasSubstr("has been read"));
    EXPECT_EQ(connections(), 1u);
    EXPECT_THAT(*taken, IsEmpty());
}

TEST_F(send_mail_test, only_those_who_may_be_are_tried_again)
{
    sim_manners first = with(5, reply_fault::goodbye); // to the second recipient
    first.to_recipient = [](const std::string& who) -> std::optional<smtp::server::answer> {
        if (who.starts_with("bob"))
            return smtp::server::answer{550, {5, 1, 1}, "no such user"};
        return std::nullopt;
    };
    at_the_server({honest(first), honest()});
    const report r = send(to({"bob@b.example", "eve@b.example"}), retries(), settings().pipelining(false));
    EXPECT_FALSE(ec) << ec.message();
    EXPECT_EQ(verdicts(r), "refused 550, delivered 250") << test::in_full(r);
    ASSERT_THAT(*taken, SizeIs(1));
    EXPECT_THAT(taken->front().recipients, testing::ElementsAre("eve@b.example"));
}

TEST_F(send_mail_test, cancelled_while_connecting)
{
    sim_place silent;
    silent.what = sim_place::kind::silent;
    at_the_server({silent});
    start(to({"bob@b.example"}));
    world->run(2s, [] { return false; });
    ASSERT_THAT(got, IsEmpty());
    stop.emit(asio::cancellation_type::total);
    world->settle();
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(ec, make_error_code(error::cancelled));
    EXPECT_EQ(verdicts(got[0]), "untried");
    world->run();
    EXPECT_EQ(connections(), 1u);
    EXPECT_EQ(world->open_waits(), 0u);
}

TEST_F(send_mail_test, cancelled_in_the_session)
{
    at_the_server({honest(with(3, reply_fault::never))}); // to MAIL
    start(to({"bob@b.example"}));
    world->run(2s, [] { return false; });
    ASSERT_THAT(got, IsEmpty());
    stop.emit(asio::cancellation_type::partial);
    world->settle();
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(ec, make_error_code(error::cancelled));
    EXPECT_EQ(verdicts(got[0]), "deferred");
    EXPECT_EQ(world->open_connections(), 0u);
    world->run();
    EXPECT_EQ(connections(), 1u);
}

TEST_F(send_mail_test, cancelled_in_doubt)
{
    at_the_server({honest(with(6, reply_fault::never))});
    start(to({"bob@b.example"}));
    world->run(2s, [] { return false; });
    stop.emit(asio::cancellation_type::terminal);
    world->settle();
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(ec, make_error_code(error::cancelled));
    EXPECT_EQ(verdicts(got[0]), "in doubt");
}

TEST_F(send_mail_test, cancelled_in_a_wait_with_the_report_as_it_stands)
{
    at_the_server({honest(with(2, reply_fault::half))});
    start(to({"bob@b.example"}), retries(100, 30s, 30s));
    world->run(1min, [] { return false; });
    ASSERT_THAT(got, IsEmpty());
    while (world->open_connections() > 0) // between two connections
        world->run(100ms, [] { return false; });
    const std::size_t before = connections();
    stop.emit(asio::cancellation_type::total);
    world->settle();
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(ec, make_error_code(error::cancelled));
    EXPECT_EQ(verdicts(got[0]), "deferred");
    EXPECT_EQ(got[0].recipients[0].error, error::connection_lost);
    world->run();
    EXPECT_EQ(connections(), before);
    EXPECT_EQ(world->open_waits(), 0u);
}

TEST_F(send_mail_test, what_one_connection_told_outlives_a_cancel_in_the_next)
{
    sim_place silent;
    silent.what = sim_place::kind::silent;
    at_the_server({honest(with(2, reply_fault::half)), silent});
    start(to({"bob@b.example"}));
    world->run(1min, [&] { return connections() == 2; });
    stop.emit(asio::cancellation_type::total);
    world->settle();
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(ec, make_error_code(error::cancelled));
    EXPECT_EQ(verdicts(got[0]), "deferred");
    EXPECT_EQ(got[0].recipients[0].error, error::connection_lost);
}

TEST_F(send_mail_test, a_cancel_that_comes_when_all_is_known_changes_nothing)
{
    at_the_server({honest()});
    start(to({"bob@b.example"}));
    world->run(1min, [&] { return !taken->empty() && taken->front().was_told(); });
    ASSERT_THAT(got, IsEmpty()); // QUIT is on its way
    stop.emit(asio::cancellation_type::total);
    world->settle();
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_FALSE(ec);
    EXPECT_EQ(verdicts(got[0]), "delivered 250");
    EXPECT_EQ(world->open_connections(), 0u);
}

TEST_F(send_mail_test, settings_that_cannot_be_used_are_told_at_once)
{
    at_the_server({honest()});
    auto done = [this](error_code e, report r) {
        ec = e;
        got.push_back(std::move(r));
    };
    delivery::send_mail_in(world, server("mx.example.org"), to({"bob@b.example"}),
                           settings().our_name("not a name"), retries(), done);
    world->run();
    EXPECT_EQ(ec, make_error_code(error::invalid_argument));
    EXPECT_EQ(verdicts(got.at(0)), "untried");
    EXPECT_THAT(got[0].recipients[0].why, HasSubstr("not a name"));
    EXPECT_EQ(connections(), 0u);
}

TEST_F(send_mail_test, nobody_to_send_to_needs_no_connection)
{
    at_the_server({honest()});
    const report r = send(to({}));
    EXPECT_FALSE(ec);
    EXPECT_THAT(r.recipients, IsEmpty());
    EXPECT_FALSE(r.all_delivered());
    EXPECT_EQ(connections(), 0u);
}

TEST(retries, are_what_can_be_done)
{
    const retries usual;
    EXPECT_EQ(usual.connections(), 5u);
    EXPECT_EQ(usual.first(), 1s);
    EXPECT_EQ(usual.longest(), 1min);
    const retries odd(0, -1s, -2s);
    EXPECT_EQ(odd.connections(), 1u);
    EXPECT_EQ(odd.first(), 1ms);
    EXPECT_EQ(odd.longest(), 1ms);
    EXPECT_EQ(retries(2, 10s, 1s).longest(), 10s);
    EXPECT_EQ(retries(2, 1s, std::chrono::milliseconds::max()).longest(), 24h);
}

// Nobody listens there: the port is closed again before anybody connects.
std::uint16_t closed_port(asio::io_context& context)
{
    asio::ip::tcp::acceptor briefly(context, {asio::ip::address_v4::loopback(), 0});
    return briefly.local_endpoint().port();
}

TEST(send_mail, without_a_loop_the_report_is_thrown)
{
    asio::io_context context;
    const server nobody(fmt::format("127.0.0.1:{}", closed_port(context)));
    try {
        (void)send_mail(nobody, {envelope("ann@a.example", {"bob@b.example"}), "hi\n"}, {}, retries(2, 1ms));
        FAIL();
    } catch (const send_error& x) {
        EXPECT_EQ(x.code(), make_error_code(error::unreachable));
        EXPECT_EQ(verdicts(x.report()), "deferred");
        EXPECT_THAT(x.what(), HasSubstr("refused the connection"));
    }
}

asio::awaitable<void> send_and_catch(server where, message what, std::optional<send_error>& caught)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    try {
        (void)co_await async_send_mail(executor, std::move(where), std::move(what), settings(),
                                       retries(2, 1ms));
    } catch (const send_error& x) {
        caught = x;
    }
}

TEST(send_mail, who_awaits_gets_an_exception_with_the_report)
{
    asio::io_context context;
    std::optional<send_error> caught;
    const server nobody(fmt::format("127.0.0.1:{}", closed_port(context)));
    message what(envelope("ann@a.example", {"bob@b.example"}), "hi\n");
    asio::co_spawn(context, send_and_catch(nobody, std::move(what), caught), asio::detached);
    context.run();
    ASSERT_TRUE(caught);
    EXPECT_EQ(verdicts(caught->report()), "deferred");
}

} // namespace
} // namespace postrider
