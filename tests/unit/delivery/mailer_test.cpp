// SPDX-License-Identifier: MIT
// unit/delivery/mailer: from recipients to exchangers, in a simulated world.
#include "postrider/mailer.hpp"

#include "delivery/in_world.hpp"
#include "postrider/error.hpp"
#include "support/sim_mail.hpp"
#include "support/sim_mail_server.hpp"
#include "support/sim_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace postrider {
namespace {

using namespace std::chrono_literals;
using test::reply_fault;
using test::sim_manners;
using test::sim_place;
using test::verdicts;
using testing::ElementsAre;
using testing::HasSubstr;

class mailer_test : public testing::Test {
protected:
    void put(const std::string& address, const std::string& name, sim_manners how = {})
    {
        sim_place place;
        place.server = [this, how, name] {
            return std::make_shared<test::sim_mail_server>(name, how, taken);
        };
        world->put(address, place);
    }

    // One domain after another, each with one exchanger.
    void put_domains(int count, sim_manners how = {})
    {
        for (int i = 0; i < count; ++i) {
            world->dns(
                fmt::format("d{0}.example MX 10 mx.d{0}.example\nmx.d{0}.example A 192.0.2.{1}", i, i + 1));
            put(fmt::format("192.0.2.{}:25", i + 1), fmt::format("mx.d{}.example", i), how);
        }
    }

    mailer make(settings how = {}) { return delivery::mailer_in(world, how.our_name("client.example")); }

    static message to(std::vector<std::string> recipients, body content = "Subject: hi\n\nhello\n")
    {
        envelope e(address("ann@a.example"));
        for (const std::string& r : recipients)
            e.to(address(r));
        return {std::move(e), std::move(content)};
    }

    report deliver(mailer& direct, message what)
    {
        std::optional<report> got;
        direct.async_deliver(std::move(what), [&](error_code e, report r) {
            ec = e;
            got = std::move(r);
        });
        EXPECT_TRUE(world->run(24h, [&] { return got.has_value(); }));
        return got.value_or(report());
    }

    asio::io_context context;
    std::shared_ptr<test::sim_world> world = std::make_shared<test::sim_world>(context, 1);
    std::shared_ptr<test::ledger> taken = std::make_shared<test::ledger>();
    error_code ec;
};

TEST_F(mailer_test, each_domain_has_its_exchanger_and_its_connection)
{
    put_domains(3);
    mailer direct = make();
    const report r = deliver(direct, to({"a@d0.example", "b@d1.example", "c@d0.example", "d@d2.example"}));
    EXPECT_TRUE(r.all_delivered()) << test::in_full(r);
    EXPECT_EQ(r.recipients[1].host, "mx.d1.example");
    EXPECT_EQ(world->connects().size(), 3u);
    EXPECT_EQ(taken->size(), 3u);
}

TEST_F(mailer_test, the_next_exchanger_takes_over_and_the_bad_one_is_remembered)
{
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example\n"
               "mx1.b.example A 192.0.2.1\nmx2.b.example A 192.0.2.2");
    put("192.0.2.2:25", "mx2.b.example");
    mailer direct = make();
    EXPECT_EQ(verdicts(deliver(direct, to({"bob@b.example"}))), "delivered 250");
    EXPECT_EQ(verdicts(deliver(direct, to({"bob@b.example"}))), "delivered 250");
    EXPECT_THAT(world->connects(),
                ElementsAre(HasSubstr("192.0.2.1"), HasSubstr("192.0.2.2"), HasSubstr("192.0.2.2")));
    world->run(6min, [] { return false; }); // nothing is going on, so no time passes but by this:
    world->at(world->now() + 6min, [] {});
    world->run();
    EXPECT_EQ(verdicts(deliver(direct, to({"bob@b.example"}))), "delivered 250");
    EXPECT_THAT(world->connects()[3], HasSubstr("192.0.2.1"));
}

TEST_F(mailer_test, a_message_that_a_host_cannot_take_does_not_make_the_host_bad)
{
    sim_manners seven_bit;
    seven_bit.options.eight_bit_mime = false;
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example\n"
               "mx1.b.example A 192.0.2.1\nmx2.b.example A 192.0.2.2");
    put("192.0.2.1:25", "mx1.b.example", seven_bit);
    put("192.0.2.2:25", "mx2.b.example");
    mailer direct = make();
    EXPECT_EQ(verdicts(deliver(direct, to({"bob@b.example"}, "Subject: x\n\ngr\xC3\xBC\xC3\x9F\n"))),
              "delivered 250");
    EXPECT_EQ(taken->back().server, "mx2.b.example");
    EXPECT_EQ(verdicts(deliver(direct, to({"bob@b.example"}))), "delivered 250");
    EXPECT_EQ(taken->back().server, "mx1.b.example");
}

TEST_F(mailer_test, a_report_has_the_words_of_the_host_it_names)
{
    sim_manners goodbye;
    goodbye.reply_number = 1;
    goodbye.fault = reply_fault::goodbye;
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example\n"
               "mx1.b.example A 192.0.2.1\nmx2.b.example A 192.0.2.2");
    put("192.0.2.1:25", "mx1.b.example", goodbye); // and nobody listens at the second
    mailer direct = make();
    const report r = deliver(direct, to({"bob@b.example"}));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_EQ(r.recipients[0].host, "mx2.b.example");
    EXPECT_FALSE(r.recipients[0].said);
    EXPECT_EQ(r.recipients[0].peer, "");
    EXPECT_THAT(r.recipients[0].why, HasSubstr("mx2.b.example"));
}

TEST_F(mailer_test, hope_outlives_a_later_refusal)
{
    sim_manners no;
    no.reply_number = 1;
    no.fault = reply_fault::refusal;
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example\n"
               "mx1.b.example A 192.0.2.1\nmx2.b.example A 192.0.2.2");
    put("192.0.2.2:25", "mx2.b.example", no); // the first refuses the connection
    mailer direct = make();
    const report r = deliver(direct, to({"bob@b.example"}));
    EXPECT_EQ(verdicts(r), "deferred") << test::in_full(r);
    EXPECT_EQ(r.recipients[0].host, "mx1.b.example");
    EXPECT_EQ(r.recipients[0].where, phase::connect);
}

TEST_F(mailer_test, greylisted_means_later_and_nobody_else_is_asked)
{
    sim_manners grey;
    grey.to_recipient = [](const std::string&) { return smtp::server::answer{451, {4, 7, 1}, "come again"}; };
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example\n"
               "mx1.b.example A 192.0.2.1\nmx2.b.example A 192.0.2.2");
    put("192.0.2.1:25", "mx1.b.example", grey);
    put("192.0.2.2:25", "mx2.b.example");
    mailer direct = make();
    EXPECT_EQ(verdicts(deliver(direct, to({"bob@b.example"}))), "deferred 451");
    EXPECT_EQ(world->connects().size(), 1u);
    EXPECT_FALSE(ec);
}

TEST_F(mailer_test, in_doubt_is_not_sent_to_the_next_host)
{
    sim_manners lost;
    lost.reply_number = 6; // to the end of data
    lost.fault = reply_fault::half;
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example\n"
               "mx1.b.example A 192.0.2.1\nmx2.b.example A 192.0.2.2");
    put("192.0.2.1:25", "mx1.b.example", lost);
    put("192.0.2.2:25", "mx2.b.example");
    mailer direct = make();
    EXPECT_EQ(verdicts(deliver(direct, to({"bob@b.example"}))), "in doubt");
    EXPECT_EQ(world->connects().size(), 1u);
    EXPECT_EQ(taken->size(), 1u);
}

TEST_F(mailer_test, messages_for_one_domain_share_a_connection)
{
    put_domains(1);
    mailer direct = make();
    std::vector<report> got;
    direct.async_deliver_all({to({"a@d0.example"}), to({"b@d0.example"}), to({"c@D0.example"})},
                             [&](error_code, std::vector<report> r) { got = std::move(r); });
    world->run();
    ASSERT_EQ(got.size(), 3u);
    EXPECT_EQ(world->connects().size(), 1u);
    EXPECT_EQ(taken->size(), 3u);
}

TEST_F(mailer_test, a_host_that_takes_one_message_a_connection_is_visited_again)
{
    sim_manners one;
    one.messages_max = 1;
    put_domains(1, one);
    mailer direct = make();
    std::vector<report> got;
    direct.async_deliver_all({to({"a@d0.example"}), to({"b@d0.example"}), to({"c@d0.example"})},
                             [&](error_code, std::vector<report> r) { got = std::move(r); });
    world->run();
    ASSERT_EQ(got.size(), 3u);
    for (const report& r : got)
        EXPECT_EQ(verdicts(r), "delivered 250") << test::in_full(r);
    EXPECT_EQ(world->connects().size(), 3u);
}

// The bound holds for all operations together, and a small one need not wait for a large one to end.
TEST_F(mailer_test, connections_are_bounded_and_shared_fairly)
{
    sim_manners slow;
    slow.thinking = 1s;
    put_domains(20, slow);
    mailer direct = make(settings().connections_max(3));
    std::vector<std::string> everywhere;
    for (int i = 0; i < 19; ++i)
        everywhere.push_back(fmt::format("bob@d{}.example", i));
    net::clock::duration many{}, one{};
    direct.async_deliver(to(everywhere), [&](error_code, report r) {
        EXPECT_TRUE(r.all_delivered());
        many = world->elapsed();
    });
    direct.async_deliver(to({"bob@d19.example"}), [&](error_code, report r) {
        EXPECT_TRUE(r.all_delivered());
        one = world->elapsed();
    });
    world->run();
    EXPECT_EQ(world->most_connections(), 3u);
    EXPECT_LT(one, many / 2);
}

TEST_F(mailer_test, operations_that_wait_for_a_place_can_be_cancelled)
{
    sim_manners mute;
    mute.reply_number = 1;
    mute.fault = reply_fault::never;
    put_domains(3, mute);
    mailer direct = make(settings().connections_max(1));
    int first = 0, second = 0;
    asio::cancellation_signal stop;
    direct.async_deliver(to({"a@d0.example"}), [&](error_code, report) { ++first; });
    auto done = [&](error_code e, report r) {
        ++second;
        EXPECT_EQ(e, make_error_code(error::cancelled));
        EXPECT_EQ(verdicts(r), "untried, untried");
    };
    direct.async_deliver(to({"b@d1.example", "c@d2.example"}),
                         asio::bind_cancellation_slot(stop.slot(), done));
    world->run(10s, [] { return false; });
    stop.emit(asio::cancellation_type::total);
    world->settle();
    EXPECT_EQ(second, 1);
    EXPECT_EQ(first, 0);
    direct.cancel();
    world->run();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(world->open_connections(), 0u);
    EXPECT_EQ(world->open_waits(), 0u);
}

TEST_F(mailer_test, a_mailer_that_goes_takes_its_operations_with_it)
{
    put_domains(3);
    std::optional<mailer> direct(make(settings().connections_max(1)));
    std::vector<std::string> ends;
    for (int i = 0; i < 3; ++i)
        direct->async_deliver(to({fmt::format("a@d{}.example", i)}),
                              [&](error_code, report r) { ends.push_back(verdicts(r)); });
    direct.reset();
    world->run();
    EXPECT_THAT(ends, ElementsAre("untried", "untried", "untried"));
    EXPECT_EQ(world->connects().size(), 0u);
}

TEST_F(mailer_test, what_dns_says_is_a_verdict)
{
    world->dns("null.example MX 0 .\nbroken.example SERVFAIL\nsilent.example SILENT");
    mailer direct = make();
    const report r =
        deliver(direct, to({"a@null.example", "b@broken.example", "c@silent.example", "d@nowhere.example"}));
    EXPECT_EQ(verdicts(r), "refused, deferred, deferred, refused") << test::in_full(r);
    EXPECT_FALSE(ec);
    for (const recipient_report& one : r.recipients)
        EXPECT_EQ(one.where, phase::lookup);
}

// RFC 5321 §5.1: whoever is himself among the exchangers sends to better ones only.
TEST_F(mailer_test, the_own_host_and_those_no_better_are_not_tried)
{
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 me.b.example\nb.example MX 30 mx3.b.example\n"
               "c.example MX 10 me.b.example\n"
               "mx1.b.example A 192.0.2.1\nme.b.example A 192.0.2.2\nmx3.b.example A 192.0.2.3");
    for (const char* elsewhere : {"192.0.2.2:25", "192.0.2.3:25"})
        put(elsewhere, "wrong.example");
    mailer direct = make(settings().own_host("ME.b.example"));
    const report r = deliver(direct, to({"a@b.example", "b@c.example"}));
    EXPECT_EQ(r.recipients[0].verdict, verdict::deferred) << test::in_full(r); // the only better one is away
    EXPECT_EQ(r.recipients[1].verdict, verdict::refused) << test::in_full(r);  // the mail would come back
    EXPECT_EQ(r.recipients[1].status, (enhanced_code{5, 4, 6}));
    EXPECT_TRUE(taken->empty());
}

// Each silent host costs its own limit; all of them together no more than one more.
TEST_F(mailer_test, connecting_has_one_limit_for_all_exchangers)
{
    std::string zone;
    for (int i = 1; i <= 20; ++i) {
        zone += fmt::format("b.example MX {0} mx{0}.b.example\nmx{0}.b.example A 192.0.2.{0}\n", i);
        world->put(fmt::format("192.0.2.{}:25", i), sim_place{sim_place::kind::silent, {}, {}, {}});
    }
    world->dns(zone);
    mailer direct = make();
    const net::time_point begun = world->now();
    const report r = deliver(direct, to({"a@b.example"}));
    EXPECT_EQ(r.recipients[0].verdict, verdict::deferred) << test::in_full(r);
    EXPECT_LT(world->now() - begun, 4min);
    EXPECT_GT(world->connects().size(), 3u);
    EXPECT_LT(world->connects().size(), 20u);
}

TEST_F(mailer_test, a_plan_connects_to_nobody)
{
    world->dns("b.example MX 20 mx2.b.example\nb.example MX 10 mx1.b.example\nmx1.b.example A 192.0.2.1\n"
               "mx1.b.example AAAA 2001:db8::1");
    mailer direct = make();
    std::vector<planned_route> got;
    direct.async_plan(envelope("", {"x@b.example", "y@B.example"}),
                      [&](error_code, std::vector<planned_route> r) { got = std::move(r); });
    world->run();
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].recipients.size(), 2u);
    ASSERT_EQ(got[0].hosts.size(), 2u);
    EXPECT_THAT(got[0].hosts[0].addresses, ElementsAre("[2001:db8::1]:25", "192.0.2.1:25"));
    EXPECT_EQ(got[0].hosts[1].addresses.size(), 0u);
    EXPECT_NE(got[0].hosts[1].why, "");
    EXPECT_EQ(world->connects().size(), 0u);
}

TEST_F(mailer_test, a_name_that_is_none_is_an_error_with_a_verdict_each)
{
    mailer direct = delivery::mailer_in(world, settings().our_name("not a name"));
    EXPECT_EQ(verdicts(deliver(direct, to({"a@b.example", "c@d.example"}))), "untried, untried");
    EXPECT_EQ(ec, make_error_code(error::invalid_argument));
}

} // namespace
} // namespace postrider
