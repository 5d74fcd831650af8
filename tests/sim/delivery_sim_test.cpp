// SPDX-License-Identifier: MIT
// sim/delivery: mail in a world where everything goes wrong, and what must be true at its end.
//
// A seed makes the domains, their DNS, the exchangers with their manners, the lines, the messages and
// the moment of a cancel. Whatever it makes, the same things hold: one verdict for each recipient;
// `delivered` if and only if a server has taken the message and its client has read so; nobody gets a
// message twice; what was taken and not reported is in doubt; and nothing is left over.

#include "base/text.hpp"
#include "delivery/in_world.hpp"
#include "postrider/error.hpp"
#include "support/sim_mail.hpp"
#include "support/sim_mail_server.hpp"
#include "support/sim_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>
#include <optional>
#include <random>

namespace postrider {
namespace {

using namespace std::chrono_literals;
using test::reply_fault;
using test::sim_line;
using test::sim_manners;
using test::sim_place;

// A world and its mail, made from a seed.
class scene {
public:
    explicit scene(std::uint64_t seed) : world(std::make_shared<test::sim_world>(context, seed))
    {
        slow_and_small = world->chance(0.2);
        const std::size_t domains_count = 1 + world->roll(4);
        for (std::size_t d = 0; d < domains_count; ++d)
            add_domain(fmt::format("d{}.example", d));
        const std::size_t messages_count = 1 + world->roll(5);
        for (std::size_t m = 0; m < messages_count; ++m)
            add_message(fmt::format("{}-{}", seed, m));
    }

    settings how()
    {
        settings s;
        s.our_name("client.example").connections_max(1 + world->roll(4)).pipelining(world->chance(0.8));
        if (world->chance(0.3))
            s.timeout(std::chrono::seconds(5 + world->roll(60)));
        return s;
    }

    std::string some_host() { return hosts[world->roll(static_cast<std::uint32_t>(hosts.size()))]; }

    asio::io_context context;
    std::shared_ptr<test::sim_world> world;
    std::shared_ptr<test::ledger> taken = std::make_shared<test::ledger>();
    std::vector<message> messages;
    std::vector<std::string> sources;

private:
    void add_domain(const std::string& domain)
    {
        domains.push_back(domain);
        const std::uint32_t kind = world->roll(20);
        if (kind == 0)
            world->dns(domain + " MX 0 .");
        else if (kind == 1)
            world->dns(domain + " SERVFAIL");
        else if (kind == 2)
            world->dns(domain + " SILENT");
        if (kind <= 3) { // 3: does not exist
            add_host(fmt::format("spare.{}", domain));
            return;
        }
        if (kind == 4) {
            add_host(domain); // an implicit exchanger
            return;
        }
        const std::size_t exchangers = 1 + world->roll(3);
        for (std::size_t i = 0; i < exchangers; ++i) {
            const std::string host = fmt::format("mx{}.{}", i, domain);
            world->dns(fmt::format("{} MX {} {}", domain, 10 * world->roll(3), host));
            add_host(host);
        }
    }

    void add_host(const std::string& host)
    {
        hosts.push_back(host);
        const std::size_t addresses = 1 + world->roll(2);
        for (std::size_t i = 0; i < addresses; ++i) {
            const bool v6 = world->chance(0.4);
            const std::size_t n = ++addresses_;
            world->dns(v6 ? fmt::format("{} AAAA 2001:db8::{:x}", host, n)
                          : fmt::format("{} A 192.0.2.{}", host, n));
            world->put(v6 ? fmt::format("[2001:db8::{:x}]:25", n) : fmt::format("192.0.2.{}:25", n),
                       some_place(host));
        }
    }

    sim_place some_place(const std::string& host)
    {
        sim_place p;
        const std::uint32_t kind = world->roll(10);
        p.what = kind == 0   ? sim_place::kind::refuses
                 : kind == 1 ? sim_place::kind::silent
                 : kind == 2 ? sim_place::kind::unreachable
                             : sim_place::kind::listens;
        p.connect_delay = std::chrono::milliseconds(world->roll(400));
        p.server = [this, host] {
            return std::make_shared<test::sim_mail_server>(host, some_manners(), taken);
        };
        p.line = [this] { return some_line(); };
        return p;
    }

    sim_manners some_manners()
    {
        sim_manners m;
        m.options.pipelining = world->chance(0.8);
        m.options.eight_bit_mime = world->chance(0.8);
        m.thinking = std::chrono::milliseconds(world->chance(0.5) ? 0 : world->roll(3000));
        m.to_recipient = [this](const std::string& who) { return answer_about(who); };
        if (world->chance(0.15))
            m.messages_max = 1 + world->roll(2);
        if (world->chance(0.1))
            m.to_message = smtp::server::answer{world->chance(0.5) ? 452 : 552, {4, 3, 1}, "no room"};
        if (world->chance(0.1)) {
            m.early = world->chance(0.5) ? "552 5.3.4 too big" : "451 4.3.0 trouble";
            m.early_closes = world->chance(0.5);
        }
        if (world->chance(0.25)) {
            m.reply_number = 1 + world->roll(9);
            m.fault = static_cast<reply_fault>(1 + world->roll(8));
        }
        return m;
    }

    std::optional<smtp::server::answer> answer_about(const std::string& who)
    {
        if (who.starts_with("no"))
            return smtp::server::answer{550, {5, 1, 1}, "nobody"};
        if (who.starts_with("later"))
            return smtp::server::answer{451, {4, 2, 1}, "not now"};
        if (who.starts_with("grey") && ++asked_for_[who] == 1)
            return smtp::server::answer{450, {4, 7, 1}, "come again"};
        return std::nullopt;
    }

    sim_line some_line()
    {
        constexpr std::array<std::size_t, 6> pieces{1, 2, 7, 60, 1460, 65536};
        constexpr std::array<std::size_t, 5> windows{1, 16, 100, 4096, 65536};
        sim_line l;
        l.delay = std::chrono::microseconds(world->roll(100'000));
        const std::size_t least = slow_and_small ? 0 : 3;
        l.piece_max = pieces[least + world->roll(static_cast<std::uint32_t>(pieces.size() - least))];
        l.window = windows[(slow_and_small ? 0 : 2) + world->roll(slow_and_small ? 5 : 3)];
        l.knows_now = world->chance(0.8);
        if (world->chance(0.1))
            l.cut_down_after = world->roll(400);
        if (world->chance(0.1))
            l.cut_up_after = world->roll(3000);
        l.how = static_cast<sim_line::cut>(world->roll(3));
        return l;
    }

    void add_message(const std::string& id)
    {
        constexpr std::array<const char*, 6> names{"ann", "bob", "no", "later", "grey", "eve"};
        envelope e(address("sender@here.example"));
        const std::size_t recipients = 1 + world->roll(5);
        for (std::size_t i = 0; i < recipients; ++i)
            e.to(address(fmt::format("{}{}@{}", names[world->roll(names.size())], messages.size() * 10 + i,
                                     domains[world->roll(static_cast<std::uint32_t>(domains.size()))])));
        sources.push_back(some_text(id));
        messages.emplace_back(std::move(e), body(sources.back()));
    }

    std::string some_text(const std::string& id)
    {
        constexpr std::array<std::string_view, 9> pieces{"\r\n",           "\n",        "\r",    ".", "..",
                                                         "a line of text", "\r\n.\r\n", "\n.\n", "x"};
        std::string text = fmt::format("X-Sim: {}\r\n\r\n", id);
        const std::size_t size = slow_and_small       ? world->roll(600)
                                 : world->chance(0.1) ? 100'000
                                                      : world->roll(5000);
        while (text.size() < size)
            text += pieces[world->roll(pieces.size())];
        if (world->chance(0.15))
            text += "gr\xC3\xBC\xC3\x9F\n";
        return text;
    }

    bool slow_and_small;
    std::vector<std::string> domains, hosts;
    std::map<std::string, int> asked_for_;
    std::size_t addresses_ = 0;
};

// What holds for one recipient, whatever happened.
void check_recipient(const scene& s, std::size_t m, const recipient_report& r)
{
    const std::string who = r.recipient.to_string();
    std::size_t taken = 0, told = 0;
    for (const test::taken_message& t : *s.taken) {
        if (t.content != test::normal_form(s.sources[m]))
            continue;
        for (const std::string& to : t.recipients) {
            taken += to == who;
            told += to == who && t.was_told();
        }
    }
    EXPECT_LE(taken, 1u) << who << " got the message more than once";
    const bool delivered = r.verdict == verdict::delivered;
    EXPECT_TRUE(!delivered || told == 1) << who << " is called delivered, and no server has said so";
    EXPECT_TRUE(delivered || taken == 0 || r.verdict == verdict::in_doubt) << who << " has the message";
    EXPECT_TRUE(delivered || told == 0 || r.error == error::cancelled)
        << who << " has it, and the server said so";
    EXPECT_TRUE(delivered || !r.why.empty());
}

void check(const scene& s, const std::vector<report>& reports)
{
    ASSERT_EQ(reports.size(), s.messages.size());
    for (std::size_t m = 0; m < reports.size(); ++m) {
        const std::vector<address>& asked = s.messages[m].envelope().recipients();
        ASSERT_EQ(reports[m].recipients.size(), asked.size());
        for (std::size_t i = 0; i < asked.size(); ++i) {
            EXPECT_EQ(reports[m].recipients[i].recipient.to_string(), asked[i].to_string());
            check_recipient(s, m, reports[m].recipients[i]);
        }
        if (testing::Test::HasFailure())
            std::cout << test::in_full(reports[m]);
    }
    for (const test::taken_message& t : *s.taken) {
        std::size_t known = 0;
        for (const std::string& source : s.sources)
            known += t.content == test::normal_form(source);
        EXPECT_EQ(known, 1u) << "a server took what nobody sent";
    }
}

void check_that_nothing_is_left(const scene& s)
{
    EXPECT_EQ(s.world->open_connections(), 0u);
    EXPECT_EQ(s.world->open_waits(), 0u);
}

constexpr auto long_enough = std::chrono::hours(48);

// Exactly one call, with a report for each message.
struct outcome_of_all {
    int calls = 0;
    error_code ec;
    std::vector<report> reports;
};

void mail_through_a_mailer(std::uint64_t seed)
{
    SCOPED_TRACE(fmt::format("seed {}, mailer", seed));
    scene s(seed);
    std::optional<mailer> direct(delivery::mailer_in(s.world, s.how()));
    outcome_of_all got;
    asio::cancellation_signal stop;
    auto done = [&](error_code ec, std::vector<report> reports) {
        ++got.calls;
        got.ec = ec;
        got.reports = std::move(reports);
    };
    direct->async_deliver_all(s.messages, asio::bind_cancellation_slot(stop.slot(), done));
    const std::uint32_t end = s.world->roll(8); // how it ends: mostly by itself
    const auto moment = s.world->now() +
                        std::chrono::milliseconds(s.world->roll(s.world->chance(0.5) ? 300 : 60'000));
    if (end < 3) {
        s.world->at(moment, [&, end] {
            if (end == 0)
                stop.emit(asio::cancellation_type::terminal);
            else if (end == 1 && direct)
                direct->cancel();
            else
                direct.reset();
        });
    }
    EXPECT_TRUE(s.world->run(long_enough, [&] { return got.calls > 0; })) << "it does not end";
    direct.reset();
    EXPECT_TRUE(s.world->run(long_enough));
    ASSERT_EQ(got.calls, 1);
    EXPECT_TRUE(!got.ec || (end < 3 && got.ec == make_error_code(error::cancelled))) << got.ec.message();
    check(s, got.reports);
    check_that_nothing_is_left(s);
}

void mail_through_a_client(std::uint64_t seed)
{
    SCOPED_TRACE(fmt::format("seed {}, client", seed));
    scene s(seed);
    std::optional<client> smtp(delivery::client_in(s.world, s.how()));
    outcome_of_all got;
    int connected = 0;
    smtp->async_connect(server(s.some_host()), [&](error_code, connect_report) {
        ++connected;
        smtp->async_send_all(s.messages, [&](error_code ec, std::vector<report> reports) {
            ++got.calls;
            got.ec = ec;
            got.reports = std::move(reports);
        });
    });
    const auto moment = s.world->now() +
                        std::chrono::milliseconds(s.world->roll(s.world->chance(0.5) ? 300 : 60'000));
    if (s.world->chance(0.3)) {
        s.world->at(moment, [&] {
            if (smtp)
                smtp->cancel();
        });
    }
    EXPECT_TRUE(s.world->run(long_enough, [&] { return got.calls > 0; })) << "it does not end";
    smtp.reset();
    EXPECT_TRUE(s.world->run(long_enough));
    EXPECT_EQ(connected, 1);
    ASSERT_EQ(got.calls, 1);
    check(s, got.reports);
    check_that_nothing_is_left(s);
}

constexpr std::uint64_t seeds = 200;

TEST(delivery_sim, mailer_keeps_its_promises)
{
    for (std::uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed)
        mail_through_a_mailer(seed);
}

TEST(delivery_sim, client_keeps_its_promises)
{
    for (std::uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed)
        mail_through_a_client(seed);
}

TEST(delivery_sim, a_fresh_seed)
{
    const std::uint64_t seed = std::random_device{}();
    RecordProperty("seed", std::to_string(seed));
    std::cout << "fresh seed: " << seed << '\n';
    mail_through_a_mailer(seed);
    mail_through_a_client(seed);
}

} // namespace
} // namespace postrider
