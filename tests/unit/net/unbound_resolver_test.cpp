// SPDX-License-Identifier: MIT
// unit/net/unbound_resolver: real questions to a real server on loopback, with real signatures.
#include "net/resolver.hpp"

#include "support/name_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/thread_pool.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace postrider::net {
namespace {

using namespace std::chrono_literals;
using dns::lookup_status;
using dns::rcode;
using dns::security;
using testing::HasSubstr;

constexpr auto plenty = 20s; // an end for a test that would hang; nothing is measured by it

std::string zone_head(const std::string& name)
{
    return fmt::format("$ORIGIN {}.\n$TTL 3600\n"
                       "@ SOA ns host 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n",
                       name);
}

std::string signed_text()
{
    std::string text = zone_head("example.org") +
                       "@ MX 10 mx1\n"
                       "@ MX 20 mx2\n"
                       "mx1 600 A 192.0.2.1\n"
                       "mx1 AAAA 2001:db8::1\n"
                       "mx2 A 192.0.2.2\n"
                       "www 60 CNAME mx1\n"
                       "out CNAME www.example.net.\n"
                       "nomail MX 0 .\n"
                       "txt TXT \"v=spf1 \" \"-all\"\n"
                       "_25._tcp.mx1 TLSA 3 1 1 " +
                       std::string(62, '0') +
                       "ff\n"
                       "plain NS ns.plain\n"
                       "ns.plain A 127.0.0.1\n"
                       "long TXT";
    for (int i = 0; i < 12; ++i) {
        text += " \"" + std::string(250, static_cast<char>('a' + i)) + "\"";
    }
    text += "\n";
    for (int i = 0; i < 200; ++i) {
        text += fmt::format("h{} A 192.0.2.{}\n", i, i);
    }
    return text;
}

/// What every test looks at: zones of several kinds, served by one nsd, and a server that hears
/// everything and says nothing.
class internet {
public:
    internet()
        : good_(test::sign({"example.org", signed_text()})),
          expired_(test::sign({"example.com", zone_head("example.com") + "@ MX 10 mx1\n"},
                              test::signatures::expired)),
          wrong_key_(test::sign({"example.com", zone_head("example.com")})),
          server({good_.zone,
                  expired_.zone,
                  {"example.net", zone_head("example.net") + "@ MX 10 mx1\nwww A 192.0.2.80\n"},
                  {"plain.example.org", zone_head("plain.example.org") + "mx A 192.0.2.7\n"},
                  {"inner.test", zone_head("inner.test") + "mx A 192.0.2.9\n"}}),
          silent_(io_, {asio::ip::address_v4::loopback(), 0})
    {
    }

    resolver_options options() const
    {
        resolver_options o;
        for (const char* zone :
             {"example.org", "example.com", "example.net", "plain.example.org", "example.edu"}) {
            o.stubs.push_back({zone, server.address()});
        }
        o.stubs.push_back({"example.info", silent_address()});
        o.trust_anchors = {good_.trust_anchor, expired_.trust_anchor};
        return o;
    }

    std::string silent_address() const
    {
        return fmt::format("127.0.0.1:{}", silent_.local_endpoint().port());
    }
    const std::string& wrong_anchor() const { return wrong_key_.trust_anchor; }

private:
    test::signed_zone good_, expired_, wrong_key_;

public:
    test::name_server server;

private:
    asio::io_context io_;
    asio::ip::udp::socket silent_;
};

dns::name name(std::string_view text) { return dns::name::parse(text).value(); }

/// A cache counts seconds down from the moment in which it stored a record.
auto counts_down_from(std::chrono::seconds ttl)
{
    return testing::AllOf(testing::Le(ttl), testing::Ge(ttl - plenty));
}

class unbound_resolver_test : public testing::Test {
protected:
    static void SetUpTestSuite() { world = std::make_unique<internet>(); }
    static void TearDownTestSuite() { world.reset(); }

    void make() { make(world->options()); }
    void make(const resolver_options& options) { resolver_ = make_resolver(io_.get_executor(), options); }

    template <class Condition>
    void run_until(Condition reached)
    {
        const auto end = std::chrono::steady_clock::now() + plenty;
        io_.restart();
        while (!reached() && std::chrono::steady_clock::now() < end && io_.run_one_until(end) != 0) {}
        ASSERT_TRUE(reached());
    }

    dns::answer ask(std::string_view owner, dns::type kind, std::chrono::milliseconds limit = plenty)
    {
        if (!resolver_) {
            make();
        }
        std::optional<dns::answer> got;
        resolver_->resolve(name(owner), kind, limit, [&](dns::answer a) { got = std::move(a); });
        EXPECT_FALSE(got) << "completed inside the call";
        run_until([&] { return got.has_value(); });
        return got.value_or(dns::answer{});
    }

    /// Starts a look-up whose status is put into `statuses_`.
    void start(std::string_view owner)
    {
        resolver_->resolve(name(owner), dns::type::a, plenty,
                           [this](dns::answer a) { statuses_.push_back(a.status); });
    }

    static std::unique_ptr<internet> world;

    asio::io_context io_;
    std::shared_ptr<resolver> resolver_;
    std::vector<lookup_status> statuses_;
};

std::unique_ptr<internet> unbound_resolver_test::world;

TEST_F(unbound_resolver_test, finds_mail_exchangers_and_says_that_they_are_secure)
{
    const dns::answer a = ask("Example.ORG", dns::type::mx);
    EXPECT_EQ(a.status, lookup_status::answered);
    EXPECT_EQ(a.code, rcode::no_error);
    EXPECT_EQ(a.trust, security::secure);
    EXPECT_THAT(a.ttl, counts_down_from(3600s));
    EXPECT_EQ(a.asked, world->server.address());
    EXPECT_EQ(a.why, "");
    ASSERT_EQ(a.records.size(), 2u);
    std::vector<std::pair<int, std::string>> hosts;
    for (const dns::record& r : a.records) {
        const auto& mx = std::get<dns::mx_data>(r.data);
        hosts.emplace_back(mx.preference, mx.exchanger.to_string());
    }
    EXPECT_THAT(hosts, testing::UnorderedElementsAre(std::pair(10, "mx1.example.org"),
                                                     std::pair(20, "mx2.example.org")));
}

TEST_F(unbound_resolver_test, finds_addresses)
{
    const dns::answer four = ask("mx1.example.org", dns::type::a);
    ASSERT_EQ(four.records.size(), 1u);
    EXPECT_EQ(to_string(std::get<dns::a_data>(four.records[0].data)), "192.0.2.1");
    EXPECT_THAT(four.ttl, counts_down_from(600s));

    const dns::answer six = ask("mx1.example.org", dns::type::aaaa);
    ASSERT_EQ(six.records.size(), 1u);
    EXPECT_EQ(to_string(std::get<dns::aaaa_data>(six.records[0].data)), "2001:db8::1");
}

TEST_F(unbound_resolver_test, finds_tlsa_and_txt_records)
{
    const dns::answer tlsa = ask("_25._tcp.mx1.example.org", dns::type::tlsa);
    EXPECT_EQ(tlsa.trust, security::secure);
    ASSERT_EQ(tlsa.records.size(), 1u);
    const auto& t = std::get<dns::tlsa_data>(tlsa.records[0].data);
    EXPECT_EQ(t.usage, 3);
    EXPECT_EQ(t.selector, 1);
    EXPECT_EQ(t.matching, 1);
    ASSERT_EQ(t.association.size(), 32u);
    EXPECT_EQ(t.association.back(), 0xff);

    const dns::answer txt = ask("txt.example.org", dns::type::txt);
    ASSERT_EQ(txt.records.size(), 1u);
    EXPECT_THAT(std::get<dns::txt_data>(txt.records[0].data).strings,
                testing::ElementsAre("v=spf1 ", "-all"));
}

TEST_F(unbound_resolver_test, a_null_mx_is_a_record)
{
    const dns::answer a = ask("nomail.example.org", dns::type::mx);
    ASSERT_EQ(a.records.size(), 1u);
    EXPECT_TRUE(std::get<dns::mx_data>(a.records[0].data).exchanger.is_root());
}

TEST_F(unbound_resolver_test, an_alias_is_followed_and_shown)
{
    const dns::answer a = ask("www.example.org", dns::type::a);
    EXPECT_EQ(a.trust, security::secure);
    ASSERT_EQ(a.records.size(), 2u);
    EXPECT_EQ(std::get<dns::cname_data>(a.records[0].data).target, name("mx1.example.org"));
    EXPECT_EQ(a.records[1].owner, name("mx1.example.org"));
    EXPECT_THAT(a.ttl, counts_down_from(60s));

    const dns::answer itself = ask("www.example.org", dns::type::cname);
    ASSERT_EQ(itself.records.size(), 1u);
    EXPECT_EQ(itself.records[0].kind, dns::type::cname);
}

TEST_F(unbound_resolver_test, a_secure_alias_of_an_insecure_name_is_insecure)
{
    const dns::answer a = ask("out.example.org", dns::type::a);
    EXPECT_EQ(a.trust, security::insecure);
    EXPECT_EQ(a.records.size(), 2u);
}

TEST_F(unbound_resolver_test, a_long_answer_comes_over_tcp)
{
    const dns::answer a = ask("long.example.org", dns::type::txt);
    EXPECT_EQ(a.trust, security::secure);
    ASSERT_EQ(a.records.size(), 1u);
    EXPECT_EQ(std::get<dns::txt_data>(a.records[0].data).strings.size(), 12u);
}

TEST_F(unbound_resolver_test, proves_that_a_name_or_a_record_is_not_there)
{
    const dns::answer no_name = ask("nobody.example.org", dns::type::mx);
    EXPECT_EQ(no_name.status, lookup_status::answered);
    EXPECT_EQ(no_name.code, rcode::name_error);
    EXPECT_EQ(no_name.trust, security::secure);
    EXPECT_TRUE(no_name.records.empty());
    EXPECT_THAT(no_name.ttl, counts_down_from(300s));

    const dns::answer no_record = ask("mx2.example.org", dns::type::aaaa);
    EXPECT_EQ(no_record.code, rcode::no_error);
    EXPECT_EQ(no_record.trust, security::secure);
    EXPECT_TRUE(no_record.records.empty());
    EXPECT_THAT(no_record.ttl, counts_down_from(300s));
}

TEST_F(unbound_resolver_test, signatures_that_expired_make_an_answer_bogus)
{
    const dns::answer a = ask("example.com", dns::type::mx);
    EXPECT_EQ(a.status, lookup_status::answered);
    EXPECT_EQ(a.trust, security::bogus);
    EXPECT_EQ(a.code, rcode::server_failure);
    EXPECT_TRUE(a.records.empty());
    EXPECT_THAT(a.why, HasSubstr("expired"));
}

TEST_F(unbound_resolver_test, a_key_that_is_not_the_trusted_one_makes_an_answer_bogus)
{
    resolver_options o = world->options();
    o.trust_anchors = {world->wrong_anchor()};
    make(o);
    const dns::answer a = ask("example.com", dns::type::mx);
    EXPECT_EQ(a.trust, security::bogus);
    EXPECT_THAT(a.why, HasSubstr("example.com"));
}

TEST_F(unbound_resolver_test, a_zone_without_signatures_is_insecure)
{
    const dns::answer a = ask("example.net", dns::type::mx);
    EXPECT_EQ(a.code, rcode::no_error);
    EXPECT_EQ(a.trust, security::insecure);
    EXPECT_EQ(a.records.size(), 1u);

    const dns::answer no_name = ask("nobody.example.net", dns::type::mx);
    EXPECT_EQ(no_name.code, rcode::name_error);
    EXPECT_EQ(no_name.trust, security::insecure);
}

TEST_F(unbound_resolver_test, a_delegation_without_a_key_is_insecure)
{
    const dns::answer a = ask("mx.plain.example.org", dns::type::a);
    EXPECT_EQ(a.code, rcode::no_error);
    EXPECT_EQ(a.trust, security::insecure);
    EXPECT_EQ(a.records.size(), 1u);
}

TEST_F(unbound_resolver_test, nothing_is_secure_or_bogus_without_validation)
{
    resolver_options o = world->options();
    o.validate = false;
    make(o);
    EXPECT_EQ(ask("example.org", dns::type::mx).trust, security::insecure);
    const dns::answer a = ask("example.com", dns::type::mx);
    EXPECT_EQ(a.trust, security::insecure);
    EXPECT_EQ(a.records.size(), 1u);
}

TEST_F(unbound_resolver_test, a_server_that_does_not_know_the_zone_is_a_failure)
{
    const dns::answer a = ask("mx.example.edu", dns::type::a);
    EXPECT_EQ(a.status, lookup_status::answered);
    EXPECT_EQ(a.code, rcode::server_failure);
    EXPECT_EQ(a.trust, security::insecure);
    EXPECT_TRUE(a.records.empty());
}

TEST_F(unbound_resolver_test, a_server_that_is_silent_costs_no_more_than_the_limit)
{
    const auto begin = std::chrono::steady_clock::now();
    const dns::answer a = ask("mx.example.info", dns::type::a, 150ms);
    const auto taken = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(a.status, lookup_status::timed_out);
    EXPECT_EQ(a.code, rcode::server_failure);
    EXPECT_EQ(a.asked, world->silent_address());
    EXPECT_GE(taken, 150ms);
    EXPECT_LT(taken, 10s); // libunbound itself takes 17 s
}

TEST_F(unbound_resolver_test, odd_limits_are_limits)
{
    EXPECT_EQ(ask("mx.example.info", dns::type::a, 0ms).status, lookup_status::timed_out);
    EXPECT_EQ(ask("mx.example.info", dns::type::a, -5ms).status, lookup_status::timed_out);
    EXPECT_EQ(ask("mx1.example.org", dns::type::a, std::chrono::milliseconds::max()).status,
              lookup_status::answered);
}

TEST_F(unbound_resolver_test, a_look_up_can_be_cancelled)
{
    make();
    asio::cancellation_signal signal;
    resolver_->resolve(name("mx.example.info"), dns::type::a, plenty,
                       asio::bind_cancellation_slot(
                           signal.slot(), [this](dns::answer a) { statuses_.push_back(a.status); }));
    start("mx.example.info"); // the same question, which is not cancelled
    io_.run_for(30ms);
    signal.emit(asio::cancellation_type::none);
    io_.run_for(10ms);
    EXPECT_TRUE(statuses_.empty());
    signal.emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(statuses_.empty()) << "completed inside emit()";
    run_until([&] { return !statuses_.empty(); });
    EXPECT_EQ(statuses_, std::vector{lookup_status::cancelled});
    signal.emit(asio::cancellation_type::terminal); // too late, and harmless
    io_.run_for(10ms);
    EXPECT_EQ(statuses_.size(), 1u);
}

TEST_F(unbound_resolver_test, a_look_up_can_be_cancelled_before_it_has_begun)
{
    make();
    asio::cancellation_signal signal;
    resolver_->resolve(name("mx1.example.org"), dns::type::a, plenty,
                       asio::bind_cancellation_slot(
                           signal.slot(), [this](dns::answer a) { statuses_.push_back(a.status); }));
    signal.emit(asio::cancellation_type::total);
    run_until([&] { return !statuses_.empty(); });
    EXPECT_EQ(statuses_, std::vector{lookup_status::cancelled});
}

TEST_F(unbound_resolver_test, a_signal_may_outlive_the_resolver)
{
    make();
    asio::cancellation_signal signal;
    resolver_->resolve(name("mx.example.info"), dns::type::a, plenty,
                       asio::bind_cancellation_slot(
                           signal.slot(), [this](dns::answer a) { statuses_.push_back(a.status); }));
    io_.run_for(20ms);
    resolver_.reset();
    signal.emit(asio::cancellation_type::terminal);
    run_until([&] { return !statuses_.empty(); });
    signal.emit(asio::cancellation_type::terminal);
    io_.run_for(10ms);
    EXPECT_EQ(statuses_, std::vector{lookup_status::cancelled});
}

TEST_F(unbound_resolver_test, its_end_ends_every_look_up)
{
    make();
    for (int i = 0; i < 50; ++i) {
        start(fmt::format("h{}.example.info", i));
    }
    start("same.example.info");
    start("same.example.info");
    io_.run_for(30ms);
    EXPECT_TRUE(statuses_.empty());
    resolver_.reset();
    EXPECT_TRUE(statuses_.empty()) << "completed inside the destructor";
    io_.restart();
    io_.run_for(plenty); // returns as soon as nothing is left to do
    EXPECT_TRUE(io_.stopped());
    EXPECT_EQ(statuses_, std::vector(52, lookup_status::cancelled));
}

TEST_F(unbound_resolver_test, its_end_ends_look_ups_that_have_not_begun)
{
    make();
    start("mx1.example.org");
    resolver_.reset();
    io_.run_for(plenty);
    EXPECT_TRUE(io_.stopped());
    EXPECT_EQ(statuses_, std::vector{lookup_status::cancelled});
}

TEST_F(unbound_resolver_test, it_may_end_after_a_limit_has_passed_and_before_libunbound_gave_up)
{
    EXPECT_EQ(ask("mx.example.info", dns::type::a, 20ms).status, lookup_status::timed_out);
    resolver_.reset();
    io_.restart();
    io_.run_for(plenty);
    EXPECT_TRUE(io_.stopped());
}

asio::awaitable<void> wait_for_ever(std::shared_ptr<resolver> r, dns::name owner)
{
    co_await r->async_resolve(std::move(owner), dns::type::a, plenty, asio::use_awaitable);
    ADD_FAILURE() << "nobody answers this";
}

// A coroutine that holds the resolver is held by its look-up. The sanitizers see whether the circle
// is broken when the loop is destroyed around it.
TEST_F(unbound_resolver_test, a_loop_may_be_destroyed_with_look_ups_on_their_way)
{
    for (const auto before : {0ms, 30ms}) {
        asio::io_context io;
        auto r = make_resolver(io.get_executor(), world->options());
        for (const char* owner : {"a.example.info", "b.example.info"}) {
            asio::co_spawn(io, wait_for_ever(r, name(owner)), asio::detached);
        }
        r.reset();
        io.run_for(before);
    }
}

asio::awaitable<void> collect(std::shared_ptr<resolver> r, std::vector<dns::answer>& into)
{
    dns::name owner = name("mx1.example.org");
    dns::answer a = co_await r->async_resolve(std::move(owner), dns::type::a, plenty, asio::use_awaitable);
    into.push_back(std::move(a));
    dns::name other = name("example.net");
    dns::answer b = co_await r->async_resolve(std::move(other), dns::type::mx, plenty, asio::use_awaitable);
    into.push_back(std::move(b));
}

TEST_F(unbound_resolver_test, a_coroutine_awaits_one_after_the_other)
{
    make();
    std::vector<dns::answer> answers;
    asio::co_spawn(io_, collect(resolver_, answers), asio::detached);
    run_until([&] { return answers.size() == 2; });
    EXPECT_EQ(answers[0].trust, security::secure);
    EXPECT_EQ(answers[1].trust, security::insecure);
}

TEST_F(unbound_resolver_test, many_at_once)
{
    make();
    std::vector<std::string> found(200);
    std::size_t done = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        resolver_->resolve(name(fmt::format("h{}.example.org", i)), dns::type::a, plenty,
                           [&, i](const dns::answer& a) {
                               ++done;
                               if (a.trust == security::secure && a.records.size() == 1) {
                                   found[i] = to_string(std::get<dns::a_data>(a.records[0].data));
                               }
                           });
    }
    run_until([&] { return done == found.size(); });
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i], fmt::format("192.0.2.{}", i));
    }
}

TEST_F(unbound_resolver_test, the_same_question_at_once)
{
    make();
    for (int i = 0; i < 20; ++i) {
        start("mx1.example.org");
    }
    run_until([&] { return statuses_.size() == 20; });
    EXPECT_EQ(statuses_, std::vector(20, lookup_status::answered));
}

TEST_F(unbound_resolver_test, an_answer_is_kept)
{
    test::name_server server({{"example.net", zone_head("example.net") + "mx A 192.0.2.5\n"}});
    resolver_options o;
    o.stubs = {{"example.net", server.address()}};
    make(o);
    ASSERT_EQ(ask("mx.example.net", dns::type::a).records.size(), 1u);
    ASSERT_EQ(ask("nobody.example.net", dns::type::a).code, rcode::name_error);
    server.stop();
    EXPECT_EQ(ask("mx.example.net", dns::type::a).records.size(), 1u);
    EXPECT_EQ(ask("nobody.example.net", dns::type::a).code, rcode::name_error);
    EXPECT_NE(ask("other.example.net", dns::type::a, 300ms).code, rcode::no_error);
}

TEST_F(unbound_resolver_test, localhost_is_this_host)
{
    resolver_options o;
    o.servers = {world->silent_address()};
    make(o);
    const dns::answer four = ask("localhost", dns::type::a);
    ASSERT_EQ(four.records.size(), 1u);
    EXPECT_EQ(to_string(std::get<dns::a_data>(four.records[0].data)), "127.0.0.1");
    EXPECT_EQ(four.asked, "this host");
    const dns::answer six = ask("LocalHost", dns::type::aaaa);
    ASSERT_EQ(six.records.size(), 1u);
    EXPECT_EQ(to_string(std::get<dns::aaaa_data>(six.records[0].data)), "::1");
    EXPECT_TRUE(ask("localhost", dns::type::mx).records.empty());
}

TEST_F(unbound_resolver_test, servers_are_asked_about_everything_that_no_stub_is_for)
{
    resolver_options o;
    o.servers = {world->server.address()};
    o.stubs = {{"example.info", world->silent_address()}};
    make(o);
    const dns::answer a = ask("www.example.net", dns::type::a);
    EXPECT_EQ(a.code, rcode::no_error);
    EXPECT_EQ(a.records.size(), 1u);
    EXPECT_EQ(a.asked, world->server.address());
    EXPECT_EQ(ask("a.example.info", dns::type::a, 50ms).asked, world->silent_address());
}

TEST_F(unbound_resolver_test, a_stub_wins_over_names_that_libunbound_answers_itself)
{
    resolver_options o;
    o.stubs = {{"inner.test", world->server.address()}};
    make(o);
    EXPECT_EQ(ask("mx.inner.test", dns::type::a).records.size(), 1u);
    EXPECT_EQ(ask("mx.outer.test", dns::type::a).code, rcode::name_error);
}

TEST_F(unbound_resolver_test, names_of_strange_octets_are_asked_for)
{
    make();
    for (const char* owner :
         {"a\\.b.example.org", "a\\032b.example.org", "\\000\\255.example.org", "\\@\\\\.example.org"}) {
        EXPECT_EQ(ask(owner, dns::type::a).code, rcode::name_error) << owner;
    }
    const std::string label(63, 'x');
    EXPECT_EQ(ask(fmt::format("{0}.{0}.{0}.{1}.example.org", label, std::string(49, 'y')), dns::type::a).code,
              rcode::name_error);
}

TEST_F(unbound_resolver_test, options_that_cannot_be_used_are_named)
{
    const auto complaint = [this](const resolver_options& o) -> std::string {
        try {
            make(o);
        } catch (const std::invalid_argument& e) {
            return e.what();
        }
        return "";
    };
    resolver_options o;
    o.servers = {"127.0.0.1", "[::1]:53", "::1", "127.0.0.1:5353"};
    EXPECT_EQ(complaint(o), "");
    o.servers = {"dns.example.org"};
    EXPECT_THAT(complaint(o), testing::AllOf(HasSubstr("servers"), HasSubstr("dns.example.org")));
    o.servers = {"127.0.0.1:0"};
    EXPECT_THAT(complaint(o), HasSubstr("port 0"));
    o.servers = {"unix:/run/dns"};
    EXPECT_THAT(complaint(o), HasSubstr("Unix socket"));

    o = {};
    o.stubs = {{"a..b", "127.0.0.1"}};
    EXPECT_THAT(complaint(o), testing::AllOf(HasSubstr("stubs"), HasSubstr("a..b")));
    o.stubs = {{".", "127.0.0.1"}};
    EXPECT_THAT(complaint(o), testing::AllOf(HasSubstr("stubs"), HasSubstr("servers")));
    o.stubs = {{"example.org", "nowhere:53"}};
    EXPECT_THAT(complaint(o), testing::AllOf(HasSubstr("stubs"), HasSubstr("nowhere")));

    o = {};
    o.trust_anchors = {"example.org. DS 1 13 2 00"};
    EXPECT_THAT(complaint(o), testing::AllOf(HasSubstr("trust_anchors"), HasSubstr("length")));
}

TEST_F(unbound_resolver_test, a_handler_runs_on_its_own_executor)
{
    make();
    asio::io_context other;
    bool called = false;
    resolver_->resolve(name("mx1.example.org"), dns::type::a, plenty,
                       asio::bind_executor(other.get_executor(), [&](const dns::answer& a) {
                           EXPECT_EQ(a.records.size(), 1u);
                           called = true;
                       }));
    std::thread ours([this] { io_.run_for(plenty); });
    other.run_for(plenty); // has work for as long as the look-up is on its way
    EXPECT_TRUE(called);
    io_.stop();
    ours.join();
}

TEST_F(unbound_resolver_test, questions_come_from_any_thread)
{
    asio::thread_pool pool(3);
    auto r = make_resolver(pool.get_executor(), world->options());
    std::atomic<int> answered = 0;
    std::atomic<int> secure = 0;
    std::vector<std::thread> callers;
    for (int t = 0; t < 4; ++t) {
        callers.emplace_back([&, t] {
            for (int i = 0; i < 25; ++i) {
                r->resolve(name(fmt::format("h{}.example.org", (t * 25 + i) % 70)), dns::type::a, plenty,
                           [&](const dns::answer& a) {
                               secure += a.trust == security::secure;
                               ++answered; // last: whoever sees 100 looks at `secure` next
                           });
            }
        });
    }
    for (std::thread& t : callers) {
        t.join();
    }
    for (int i = 0; i < 2000 && answered < 100; ++i) {
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_EQ(answered, 100);
    EXPECT_EQ(secure, 100);
    r->resolve(name("mx.example.info"), dns::type::a, plenty, [&](const dns::answer& a) {
        EXPECT_EQ(a.status, lookup_status::cancelled);
        ++answered;
    });
    r.reset();
    pool.join();
    EXPECT_EQ(answered, 101);
}

TEST_F(unbound_resolver_test, resolvers_on_several_threads_do_not_meet)
{
    std::atomic<int> secure = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            asio::io_context io;
            auto r = make_resolver(io.get_executor(), world->options());
            r->resolve(name("mx1.example.org"), dns::type::a, plenty, [&](const dns::answer& a) {
                secure += a.trust == security::secure;
                r.reset();
            });
            io.run_for(plenty);
        });
    }
    for (std::thread& t : threads) {
        t.join();
    }
    EXPECT_EQ(secure, 4);
}

} // namespace
} // namespace postrider::net
