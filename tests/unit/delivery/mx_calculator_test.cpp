// SPDX-License-Identifier: MIT
// unit/delivery/mx_calculator: hosts in order, marks, and what DNS can say instead, in a simulated world.
#include "postrider/mx_calculator.hpp"

#include "app/loop_engine.hpp"
#include "delivery/in_world.hpp"
#include "postrider/error.hpp"
#include "support/sim_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

namespace postrider {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class mx_calculator_test : public testing::Test {
protected:
    mail_exchangers ask(mx_calculator& whom, const std::string& domain)
    {
        std::optional<mail_exchangers> got;
        whom.async_get_mx(domain, [&](error_code e, mail_exchangers m) {
            ec = e;
            got = std::move(m);
        });
        EXPECT_TRUE(world->run(24h, [&] { return got.has_value(); }));
        return got.value_or(mail_exchangers());
    }

    std::vector<std::string> hosts(const std::string& domain)
    {
        std::vector<std::string> names;
        for (const mail_exchanger& x : ask(mx, domain).hosts)
            names.push_back(x.host);
        return names;
    }

    // Nothing else is going on, so no time passes but by this.
    void let_time_pass(net::clock::duration how_long)
    {
        world->at(world->now() + how_long, [] {});
        world->run();
    }

    asio::io_context context;
    std::shared_ptr<test::sim_world> world = std::make_shared<test::sim_world>(context, 1);
    mx_calculator mx = delivery::mx_calculator_in(world, {});
    error_code ec;
};

TEST_F(mx_calculator_test, all_hosts_in_order)
{
    world->dns("b.example MX 30 mx3.b.example\nb.example MX 10 mx1.b.example\nb.example MX 20 MX2.b.example");
    const mail_exchangers found = ask(mx, "b.example");
    EXPECT_FALSE(ec);
    ASSERT_EQ(found.hosts.size(), 3u);
    EXPECT_EQ(found.hosts[0].host, "mx1.b.example");
    EXPECT_EQ(found.hosts[0].preference, 10u);
    EXPECT_FALSE(found.hosts[0].implicit);
    EXPECT_FALSE(found.hosts[0].bad);
    EXPECT_EQ(found.hosts[1].host, "mx2.b.example");
    EXPECT_EQ(found.hosts[2].host, "mx3.b.example");
    EXPECT_EQ(found.why, "");
}

TEST_F(mx_calculator_test, bad_ones_come_last_and_keep_their_order)
{
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example\nb.example MX 30 mx3.b.example");
    mx.mark_bad("mx2.b.example");
    mx.mark_bad("mx1.b.example");
    EXPECT_THAT(hosts("b.example"), ElementsAre("mx3.b.example", "mx1.b.example", "mx2.b.example"));
    const mail_exchangers found = ask(mx, "b.example");
    EXPECT_FALSE(found.hosts[0].bad);
    EXPECT_TRUE(found.hosts[1].bad);
    mx.mark_bad("mx3.b.example"); // if all are bad, the best is still the best
    EXPECT_THAT(hosts("b.example"), ElementsAre("mx1.b.example", "mx2.b.example", "mx3.b.example"));
    mx.mark_good("mx2.b.example");
    EXPECT_THAT(hosts("b.example"), ElementsAre("mx2.b.example", "mx1.b.example", "mx3.b.example"));
}

TEST_F(mx_calculator_test, a_mark_lasts_for_an_hour_or_as_long_as_is_said)
{
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example");
    mx.mark_bad("mx1.b.example");
    let_time_pass(59min);
    EXPECT_EQ(hosts("b.example").front(), "mx2.b.example");
    let_time_pass(1min);
    EXPECT_EQ(hosts("b.example").front(), "mx1.b.example");
    mx.bad_time(10s);
    mx.mark_bad("mx1.b.example");
    EXPECT_EQ(hosts("b.example").front(), "mx2.b.example");
    let_time_pass(10s);
    EXPECT_EQ(hosts("b.example").front(), "mx1.b.example");
}

TEST_F(mx_calculator_test, a_mark_knows_its_host_however_it_is_written)
{
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 mx2.b.example");
    mx.mark_bad("MX1.B.example.");
    EXPECT_EQ(hosts("b.example").front(), "mx2.b.example");
    mx.mark_bad("no host at all"); // and nothing comes of it
    EXPECT_EQ(hosts("b.example").front(), "mx2.b.example");
}

TEST_F(mx_calculator_test, equal_preferences_take_turns)
{
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 10 mx2.b.example\nb.example MX 10 mx3.b.example");
    std::set<std::string> first;
    for (int i = 0; i < 60; ++i)
        first.insert(hosts("b.example").front());
    EXPECT_EQ(first.size(), 3u);
}

// Whoever took the empty name for a host would deliver to itself (RFC 7505).
TEST_F(mx_calculator_test, a_null_mx_takes_no_mail)
{
    world->dns("b.example MX 0 .");
    const mail_exchangers found = ask(mx, "b.example");
    EXPECT_EQ(ec, make_error_code(error::lookup_failed));
    EXPECT_THAT(found.hosts, IsEmpty());
    EXPECT_EQ(found.meaning, verdict::refused);
    EXPECT_THAT(found.why, HasSubstr("null MX"));
}

TEST_F(mx_calculator_test, without_mx_the_domain_itself_by_name)
{
    world->dns("v4.example A 192.0.2.1\nv6.example AAAA 2001:db8::1\nv6.example TXT \"x\"");
    for (const char* domain : {"v4.example", "v6.example"}) {
        const mail_exchangers found = ask(mx, domain);
        EXPECT_FALSE(ec) << domain;
        ASSERT_EQ(found.hosts.size(), 1u);
        EXPECT_EQ(found.hosts[0].host, domain);
        EXPECT_TRUE(found.hosts[0].implicit);
        EXPECT_EQ(found.hosts[0].preference, 0u);
    }
}

TEST_F(mx_calculator_test, no_such_domain_is_refused_and_named)
{
    const mail_exchangers found = ask(mx, "nowhere.example");
    EXPECT_EQ(ec, make_error_code(error::lookup_failed));
    EXPECT_EQ(found.meaning, verdict::refused);
    EXPECT_THAT(found.why, HasSubstr("nowhere.example"));
    EXPECT_THAT(found.why, HasSubstr("NXDOMAIN"));
}

TEST_F(mx_calculator_test, a_server_that_fails_or_is_silent_means_later)
{
    world->dns("broken.example SERVFAIL\nsilent.example SILENT");
    EXPECT_EQ(ask(mx, "broken.example").meaning, verdict::deferred);
    const mail_exchangers found = ask(mx, "silent.example");
    EXPECT_EQ(ec, make_error_code(error::lookup_failed));
    EXPECT_EQ(found.meaning, verdict::deferred);
    EXPECT_THAT(found.why, HasSubstr("silent.example"));
}

TEST_F(mx_calculator_test, the_time_for_dns_is_that_of_the_settings)
{
    world->dns("silent.example SILENT");
    mx = delivery::mx_calculator_in(world, settings().timeout(7s));
    const net::time_point begun = world->now();
    (void)ask(mx, "silent.example");
    EXPECT_EQ(world->now() - begun, 7s);
}

TEST_F(mx_calculator_test, domains_are_taken_as_people_write_them)
{
    world->dns("b.example MX 10 mx1.b.example\nxn--bcher-kva.example MX 10 mx2.b.example");
    EXPECT_THAT(hosts("b.example."), ElementsAre("mx1.b.example"));
    EXPECT_THAT(hosts("B.EXAMPLE"), ElementsAre("mx1.b.example"));
    EXPECT_THAT(hosts("B\xC3\xBC"
                      "cher.example"),
                ElementsAre("mx2.b.example"));
}

TEST_F(mx_calculator_test, a_literal_needs_no_dns)
{
    EXPECT_THAT(hosts("[192.0.2.1]"), ElementsAre("192.0.2.1"));
    EXPECT_THAT(hosts("[IPv6:2001:db8::1]"), ElementsAre("2001:db8::1"));
    EXPECT_EQ(world->elapsed(), 0s);
    mx.mark_bad("192.0.2.1");
    EXPECT_TRUE(ask(mx, "[192.0.2.1]").hosts.at(0).bad);
    EXPECT_THAT(hosts("[0.0.0.0]"), IsEmpty());
    EXPECT_EQ(ec, make_error_code(error::lookup_failed));
}

TEST_F(mx_calculator_test, what_is_no_domain_is_said_to_be_none)
{
    for (const char* domain : {"", ".", "a..b", "192.0.2.1", "bob@b.example", "b.example\r\nQUIT",
                               "-b.example", " b.example", "[192.0.2.1"}) {
        const mail_exchangers found = ask(mx, domain);
        EXPECT_EQ(ec, make_error_code(error::invalid_argument)) << domain;
        EXPECT_THAT(found.why, HasSubstr("is no domain")) << domain;
        EXPECT_EQ(found.why.find('\n'), std::string::npos);
        EXPECT_EQ(found.meaning, verdict::refused);
    }
    EXPECT_EQ(world->elapsed(), 0s);
}

TEST_F(mx_calculator_test, aliases_are_followed)
{
    world->dns("a.example CNAME a2.example\na2.example CNAME a3.example\na3.example CNAME a4.example\n"
               "a4.example CNAME a5.example\na5.example CNAME b.example\nb.example MX 10 mx1.b.example");
    EXPECT_THAT(hosts("a.example"), ElementsAre("mx1.b.example"));
}

TEST_F(mx_calculator_test, aliases_in_a_circle_mean_later)
{
    world->dns("a.example CNAME b.example\nb.example CNAME a.example");
    const mail_exchangers found = ask(mx, "a.example");
    EXPECT_EQ(ec, make_error_code(error::lookup_failed));
    EXPECT_EQ(found.meaning, verdict::deferred);
    EXPECT_THAT(found.why, HasSubstr("circle"));
}

TEST_F(mx_calculator_test, what_cannot_be_a_host_is_left_out_with_a_note)
{
    world->dns("b.example MX 10 192.0.2.7\nb.example MX 20 mx2.b.example");
    const mail_exchangers found = ask(mx, "b.example");
    ASSERT_EQ(found.hosts.size(), 1u);
    EXPECT_EQ(found.hosts[0].host, "mx2.b.example");
    EXPECT_THAT(found.notes, ElementsAre(HasSubstr("192.0.2.7")));
}

TEST_F(mx_calculator_test, the_own_host_and_those_no_better_are_left_out)
{
    world->dns("b.example MX 10 mx1.b.example\nb.example MX 20 me.b.example\nc.example MX 10 me.b.example");
    mx = delivery::mx_calculator_in(world, settings().own_host("me.b.example"));
    EXPECT_THAT(hosts("b.example"), ElementsAre("mx1.b.example"));
    EXPECT_THAT(hosts("c.example"), IsEmpty());
    EXPECT_EQ(ec, make_error_code(error::lookup_failed));
}

TEST_F(mx_calculator_test, a_look_up_can_be_cancelled)
{
    world->dns("silent.example SILENT");
    std::optional<mail_exchangers> got;
    asio::cancellation_signal stop;
    auto done = [&](error_code e, mail_exchangers m) {
        ec = e;
        got = std::move(m);
    };
    mx.async_get_mx("silent.example", asio::bind_cancellation_slot(stop.slot(), done));
    world->run(2s, [] { return false; });
    ASSERT_FALSE(got);
    stop.emit(asio::cancellation_type::total);
    world->settle();
    ASSERT_TRUE(got);
    EXPECT_EQ(ec, make_error_code(error::cancelled));
    EXPECT_EQ(got->meaning, verdict::untried);
    EXPECT_THAT(got->why, HasSubstr("silent.example"));
}

TEST_F(mx_calculator_test, one_that_goes_takes_its_look_ups_with_it)
{
    world->dns("silent.example SILENT");
    std::vector<error_code> ends;
    {
        mx_calculator other = delivery::mx_calculator_in(world, {});
        for (int i = 0; i < 3; ++i)
            other.async_get_mx("silent.example", [&](error_code e, mail_exchangers) { ends.push_back(e); });
    }
    world->settle();
    EXPECT_THAT(ends, testing::SizeIs(3));
    EXPECT_THAT(ends, testing::Each(make_error_code(error::cancelled)));
}

asio::awaitable<void> ask_and_catch(mx_calculator& mx, std::optional<mx_error>& caught)
{
    try {
        (void)co_await mx.async_get_mx("nowhere.example");
    } catch (const mx_error& x) {
        caught = x;
    }
}

TEST_F(mx_calculator_test, who_awaits_gets_an_exception_with_all_that_was_found)
{
    std::optional<mx_error> caught;
    asio::co_spawn(context, ask_and_catch(mx, caught), asio::detached);
    world->run();
    ASSERT_TRUE(caught);
    EXPECT_EQ(caught->code(), make_error_code(error::lookup_failed));
    EXPECT_EQ(caught->found().meaning, verdict::refused);
    EXPECT_THAT(caught->what(), HasSubstr("nowhere.example"));
}

TEST_F(mx_calculator_test, on_a_loop_it_asks_the_dns_of_the_loop)
{
    world->dns("b.example MX 10 mx1.b.example");
    app::loop loop(app::engine_in(world));
    mx = mx_calculator(loop);
    EXPECT_THAT(hosts("b.example"), ElementsAre("mx1.b.example"));
}

TEST(mx_calculator, a_dns_server_that_is_none_is_heard_of)
{
    asio::io_context context;
    mx_calculator mx(context.get_executor(), settings().dns_server("not a server"));
    error_code ec;
    std::string why;
    mx.async_get_mx("b.example", [&](error_code e, mail_exchangers m) {
        ec = e;
        why = m.why;
    });
    context.run();
    EXPECT_EQ(ec, make_error_code(error::invalid_argument));
    EXPECT_THAT(why, HasSubstr("not a server"));
}

} // namespace
} // namespace postrider
