// SPDX-License-Identifier: MIT
// unit/delivery/client: one connection in a simulated world, from its best days to its worst.
#include "postrider/client.hpp"

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
using test::sim_line;
using test::sim_manners;
using test::sim_place;
using test::verdicts;
using testing::HasSubstr;

// A body that is asked for piece by piece: each is there only after a wait.
class slow_source final : public body_source, public std::enable_shared_from_this<slow_source> {
public:
    slow_source(std::shared_ptr<test::sim_world> world, std::vector<std::string> pieces)
        : world_(std::move(world)), pieces_(std::move(pieces))
    {
    }

    enum class end { well, badly, never } how = end::well;

    std::unique_ptr<body_reader> open() override
    {
        if (std::exchange(opened_, true))
            return nullptr;
        return std::make_unique<reader>(shared_from_this());
    }

private:
    class reader final : public body_reader {
    public:
        explicit reader(std::shared_ptr<slow_source> source) : source_(std::move(source)) {}

        status read(std::string_view& range) override
        {
            if (std::exchange(wait_first_, !wait_first_))
                return status::waiting;
            if (next_ < source_->pieces_.size()) {
                range = source_->pieces_[next_++];
                return status::ready;
            }
            range = {};
            return source_->how == end::badly ? status::failed : status::last;
        }

        void async_wait(asio::any_completion_handler<void(error_code)> done) override
        {
            if (source_->how == end::never && next_ == source_->pieces_.size()) {
                kept_.swap(done);
                return;
            }
            source_->world_->wait_until(source_->world_->now() + 1s, std::move(done));
        }

        void cancel() override
        {
            if (kept_)
                std::exchange(kept_, nullptr)(asio::error::operation_aborted);
        }

        std::string why() const override { return "the disk is gone"; }

    private:
        std::shared_ptr<slow_source> source_;
        asio::any_completion_handler<void(error_code)> kept_;
        std::size_t next_ = 0;
        bool wait_first_ = true;
    };

    std::shared_ptr<test::sim_world> world_;
    std::vector<std::string> pieces_;
    bool opened_ = false;
};

class client_test : public testing::Test {
protected:
    void listen(sim_manners how = {}, sim_line line = {})
    {
        world->dns("mx.example.org A 192.0.2.1");
        sim_place place;
        place.server = [this, how] {
            return last_server = std::make_shared<test::sim_mail_server>("mx.example.org", how, taken);
        };
        place.line = [line] { return line; };
        world->put("192.0.2.1:25", place);
    }

    client make(settings how = {}) { return delivery::client_in(world, how.our_name("client.example")); }

    static message to(std::initializer_list<std::string_view> recipients,
                      body content = "Subject: hi\n\nhello\n")
    {
        return {envelope("ann@a.example", recipients), std::move(content)};
    }

    error_code connect(client& smtp)
    {
        std::optional<error_code> got;
        smtp.async_connect(server("mx.example.org"), [&](error_code e, connect_report r) {
            got = e;
            connected = std::move(r);
        });
        EXPECT_TRUE(world->run(24h, [&] { return got.has_value(); }));
        return got.value_or(asio::error::fault);
    }

    report send(client& smtp, message what)
    {
        std::optional<report> got;
        smtp.async_send(std::move(what), [&](error_code e, report r) {
            ec = e;
            got = std::move(r);
        });
        EXPECT_TRUE(world->run(24h, [&] { return got.has_value(); }));
        return got.value_or(report());
    }

    void expect_nothing_left()
    {
        world->run();
        EXPECT_EQ(world->open_connections(), 0u);
        EXPECT_EQ(world->open_waits(), 0u);
    }

    asio::io_context context;
    std::shared_ptr<test::sim_world> world = std::make_shared<test::sim_world>(context, 1);
    std::shared_ptr<test::ledger> taken = std::make_shared<test::ledger>();
    std::shared_ptr<test::sim_mail_server> last_server;
    connect_report connected;
    error_code ec;
};

TEST_F(client_test, many_messages_go_over_one_connection)
{
    listen();
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    EXPECT_EQ(connected.peer, "192.0.2.1:25");
    EXPECT_THAT(connected.extensions, testing::Contains("PIPELINING"));
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(verdicts(send(smtp, to({"bob@b.example", "eve@b.example"}))),
                  "delivered 250, delivered 250");
    EXPECT_EQ(world->connects().size(), 1u);
    EXPECT_EQ(taken->size(), 3u);
    EXPECT_EQ(taken->front().content, "Subject: hi\r\n\r\nhello\r\n");
    bool gone = false;
    smtp.async_quit([&] { gone = true; });
    world->run();
    EXPECT_TRUE(gone);
    EXPECT_FALSE(smtp.is_open());
    EXPECT_THAT(last_server->heard(), testing::EndsWith("QUIT\r\n"));
    expect_nothing_left();
}

TEST_F(client_test, a_connection_that_died_at_rest_costs_no_message)
{
    for (const bool knows_now : {true, false}) {
        SCOPED_TRACE(knows_now);
        taken->clear();
        const std::size_t before = world->connects().size();
        sim_manners how;
        how.at_rest = "421 4.4.2 too long idle\r\n";
        sim_line line;
        line.knows_now = knows_now;
        listen(how, line);
        client smtp = make();
        ASSERT_FALSE(connect(smtp));
        EXPECT_EQ(verdicts(send(smtp, to({"bob@b.example"}))), "delivered 250");
        world->run(60s, [] { return false; });
        EXPECT_EQ(verdicts(send(smtp, to({"bob@b.example"}))), "delivered 250");
        EXPECT_FALSE(ec);
        EXPECT_EQ(world->connects().size() - before, 2u);
        EXPECT_EQ(taken->size(), 2u);
    }
}

TEST_F(client_test, and_is_made_again_once)
{
    sim_manners how;
    how.at_rest = "421 4.4.2 too long idle\r\n";
    listen(how);
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    EXPECT_EQ(verdicts(send(smtp, to({"bob@b.example"}))), "delivered 250");
    world->run(60s, [] { return false; });
    world->put("192.0.2.1:25", sim_place{sim_place::kind::refuses, {}, {}, {}});
    EXPECT_EQ(verdicts(send(smtp, to({"bob@b.example"}))), "deferred");
    EXPECT_EQ(ec, make_error_code(error::unreachable));
    EXPECT_EQ(world->connects().size(), 2u);
}

TEST_F(client_test, a_server_that_takes_one_message_a_connection_gets_them_all)
{
    sim_manners how;
    how.messages_max = 1;
    listen(how);
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    std::vector<message> all(4, to({"bob@b.example"}));
    std::vector<report> got;
    smtp.async_send_all(all, [&](error_code, std::vector<report> r) { got = std::move(r); });
    world->run();
    ASSERT_EQ(got.size(), 4u);
    for (const report& r : got)
        EXPECT_EQ(verdicts(r), "delivered 250");
    EXPECT_EQ(world->connects().size(), 4u);
}

TEST_F(client_test, a_refusal_in_mid_body_is_heard)
{
    for (const bool closes : {true, false}) {
        SCOPED_TRACE(closes);
        sim_manners how;
        how.early = "552 5.3.4 too big";
        how.early_closes = closes;
        sim_line line;
        line.window = 4096;
        listen(how, line);
        client smtp = make();
        ASSERT_FALSE(connect(smtp));
        const report r = send(smtp, to({"bob@b.example"}, std::string(1'000'000, 'x')));
        EXPECT_EQ(verdicts(r), "refused 552") << test::in_full(r);
        EXPECT_EQ(r.recipients[0].where, phase::body);
        EXPECT_TRUE(taken->empty());
        EXPECT_FALSE(smtp.is_open());
    }
}

TEST_F(client_test, tiny_windows_block_nobody_for_ever)
{
    for (const std::size_t window : {std::size_t{1}, std::size_t{16}, std::size_t{300}}) {
        SCOPED_TRACE(window);
        taken->clear();
        sim_line line;
        line.window = window;
        line.delay = 1us;
        listen({}, line);
        client smtp = make();
        ASSERT_FALSE(connect(smtp));
        envelope e(address("ann@a.example"));
        for (int i = 0; i < 100; ++i)
            e.to(address(fmt::format("someone.with.a.name{}@b.example", i)));
        const report r = send(smtp, {e, std::string(window == 1 ? 3'000 : 30'000, 'x')});
        EXPECT_TRUE(r.all_delivered()) << test::in_full(r);
    }
}

TEST_F(client_test, one_operation_at_a_time)
{
    listen();
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    std::string order;
    smtp.async_send(to({"bob@b.example"}), [&](error_code e, report r) {
        order += fmt::format("first {} {};", e.message(), verdicts(r));
    });
    smtp.async_send(to({"eve@b.example"}), [&](error_code e, report r) {
        EXPECT_EQ(e, make_error_code(error::operation_in_progress));
        order += "second " + verdicts(r) + ";";
    });
    smtp.async_connect(server("mx.example.org"), [&](error_code e, connect_report r) {
        EXPECT_EQ(e, make_error_code(error::operation_in_progress));
        EXPECT_FALSE(r.why.empty());
        order += "third;";
    });
    EXPECT_EQ(order, "") << "no handler is called inside the call";
    world->run();
    EXPECT_EQ(order, "second untried;third;first Success delivered 250;");
}

TEST_F(client_test, a_client_that_goes_takes_its_operation_with_it)
{
    sim_manners how;
    how.reply_number = 3; // to MAIL
    how.fault = reply_fault::never;
    listen(how);
    std::optional<client> smtp(make());
    ASSERT_FALSE(connect(*smtp));
    int calls = 0;
    smtp->async_send(to({"bob@b.example"}), [&](error_code e, report r) {
        ++calls;
        EXPECT_EQ(e, make_error_code(error::cancelled));
        EXPECT_EQ(verdicts(r), "deferred");
    });
    world->run(2s, [] { return false; });
    smtp.reset();
    world->settle();
    EXPECT_EQ(calls, 1);
    expect_nothing_left();
}

TEST_F(client_test, cancelled_before_its_first_turn)
{
    listen();
    client smtp = make();
    int calls = 0;
    smtp.async_connect(server("mx.example.org"), [&](error_code e, connect_report r) {
        ++calls;
        EXPECT_EQ(e, make_error_code(error::cancelled));
        EXPECT_EQ(r.meaning, verdict::untried);
    });
    smtp.cancel();
    world->run();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(world->connects().size(), 0u);

    ASSERT_FALSE(connect(smtp));
    smtp.async_send(to({"bob@b.example"}), [&](error_code e, report r) {
        ++calls;
        EXPECT_EQ(e, make_error_code(error::cancelled));
        EXPECT_EQ(verdicts(r), "untried");
    });
    smtp.cancel();
    world->run();
    EXPECT_EQ(calls, 2);
    EXPECT_FALSE(smtp.is_open());
    EXPECT_TRUE(taken->empty());
}

TEST_F(client_test, cancelled_by_its_own_slot_and_no_other_operation_with_it)
{
    listen();
    client smtp = make();
    asio::cancellation_signal stop;
    int calls = 0;
    auto first = [&](error_code e, connect_report) {
        ++calls;
        EXPECT_EQ(e, make_error_code(error::cancelled));
        smtp.async_connect(server("mx.example.org"), [&](error_code again, connect_report) {
            ++calls;
            EXPECT_FALSE(again);
        });
    };
    smtp.async_connect(server("mx.example.org"), asio::bind_cancellation_slot(stop.slot(), first));
    world->run(1ms, [] { return false; });
    for (const auto type : {asio::cancellation_type::partial, asio::cancellation_type::total,
                            asio::cancellation_type::terminal})
        stop.emit(type);
    world->run();
    EXPECT_EQ(calls, 2);
    EXPECT_TRUE(smtp.is_open());
}

// Connecting and sending take about 60 ms here. Wherever the signal comes, the operation ends at once
// and says what is true.
TEST_F(client_test, cancelled_at_any_moment)
{
    sim_manners how;
    how.thinking = 3ms;
    for (int half_ms = 0; half_ms < 160; ++half_ms) {
        SCOPED_TRACE(half_ms);
        taken->clear();
        sim_line line;
        line.delay = 2ms;
        listen(how, line);
        client smtp = make();
        asio::cancellation_signal stop;
        std::optional<report> got;
        error_code why;
        const net::time_point began = world->now();
        net::time_point ended;
        auto sent = [&](error_code e, report r) {
            why = e;
            got = std::move(r);
            ended = world->now();
        };
        auto connected_now = [&](error_code, connect_report) {
            smtp.async_send(to({"bob@b.example", "eve@b.example"}),
                            asio::bind_cancellation_slot(stop.slot(), sent));
        };
        smtp.async_connect(server("mx.example.org"),
                           asio::bind_cancellation_slot(stop.slot(), connected_now));
        world->at(began + half_ms * 500us, [&] { stop.emit(asio::cancellation_type::terminal); });
        world->run();
        ASSERT_TRUE(got);
        ASSERT_EQ(got->recipients.size(), 2u);
        EXPECT_TRUE(got->all_delivered() || ended <= began + half_ms * 500us + 1us)
            << test::in_full(*got) << why.message();
        EXPECT_TRUE(!got->all_delivered() || taken->size() == 1);
        EXPECT_TRUE(taken->empty() || got->recipients[0].verdict == verdict::delivered ||
                    got->recipients[0].verdict == verdict::in_doubt);
    }
    expect_nothing_left();
}

TEST_F(client_test, a_source_may_wait)
{
    listen();
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    const auto source = std::make_shared<slow_source>(
        world, std::vector<std::string>{"Subject: slow\r\n", "\r\n.dot", "\nend"});
    const report r = send(smtp, to({"bob@b.example"}, body(source)));
    EXPECT_EQ(verdicts(r), "delivered 250") << test::in_full(r);
    ASSERT_EQ(taken->size(), 1u);
    EXPECT_EQ(taken->front().content, "Subject: slow\r\n\r\n.dot\r\nend\r\n");
}

TEST_F(client_test, a_source_may_fail)
{
    listen();
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    const auto source = std::make_shared<slow_source>(world, std::vector<std::string>{"Subject: bad\r\n"});
    source->how = slow_source::end::badly;
    const report r = send(smtp, to({"bob@b.example"}, body(source)));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_EQ(ec, make_error_code(error::body_failed));
    EXPECT_THAT(r.recipients[0].why, HasSubstr("the disk is gone"));
    EXPECT_TRUE(taken->empty());
    expect_nothing_left();
}

TEST_F(client_test, a_source_that_brings_nothing_is_not_waited_for_for_ever)
{
    listen();
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    const auto source = std::make_shared<slow_source>(world, std::vector<std::string>{"Subject: bad\r\n"});
    source->how = slow_source::end::never;
    const std::weak_ptr<slow_source> alive = source;
    const net::time_point began = world->now();
    const report r = send(smtp, to({"bob@b.example"}, body(source)));
    EXPECT_EQ(ec, make_error_code(error::body_failed));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_LE(world->now() - began, 4min);
    EXPECT_GE(world->now() - began, 3min);
}

// A source that cannot wait says so inside the call; no timer may be left behind it.
TEST_F(client_test, a_source_that_cannot_wait_ends_the_message)
{
    class stuck final : public body_source {
        class reader final : public body_reader {
            status read(std::string_view&) override { return status::waiting; }
        };
        std::unique_ptr<body_reader> open() override { return std::make_unique<reader>(); }
    };
    listen();
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    const report r = send(smtp, to({"bob@b.example"}, body(std::make_shared<stuck>())));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_EQ(ec, make_error_code(error::body_failed));
    EXPECT_EQ(world->open_waits(), 0u);
}

TEST_F(client_test, nul_never_leaves)
{
    listen();
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    const report r = send(smtp, to({"bob@b.example"}, std::string("Subject: x\n\na\0b\n", 16)));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_EQ(ec, make_error_code(error::body_failed));
    EXPECT_THAT(r.recipients[0].why, HasSubstr("NUL"));
    EXPECT_TRUE(taken->empty());
    EXPECT_EQ(last_server->heard().find('\0'), std::string::npos);
}

TEST_F(client_test, eight_bit_octets_that_show_late_where_nobody_offers_8bitmime)
{
    sim_manners how;
    how.options.eight_bit_mime = false;
    listen(how);
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    const auto source = std::make_shared<slow_source>(
        world, std::vector<std::string>{"Subject: x\n\n", "gr\xC3\xBC\xC3\x9F"});
    const report r = send(smtp, to({"bob@b.example"}, body(source)));
    EXPECT_EQ(verdicts(r), "refused") << test::in_full(r);
    EXPECT_EQ(ec, make_error_code(error::eight_bit_body));
    EXPECT_TRUE(taken->empty());
    EXPECT_EQ(last_server->heard().find('\xC3'), std::string::npos);
}

TEST_F(client_test, the_octets_of_a_refused_message_are_let_go)
{
    sim_manners how;
    how.to_recipient = [](const std::string&) { return smtp::server::answer{550, {5, 1, 1}, "nobody"}; };
    listen(how);
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    auto source = std::make_shared<slow_source>(world, std::vector<std::string>{"x"});
    const std::weak_ptr<slow_source> alive = source;
    EXPECT_EQ(verdicts(send(smtp, to({"bob@b.example"}, body(std::move(source))))), "refused 550");
    EXPECT_TRUE(smtp.is_open());
    EXPECT_TRUE(alive.expired());
}

TEST_F(client_test, every_wait_has_an_end)
{
    struct expectation {
        std::size_t reply;
        reply_fault fault;
        std::chrono::seconds limit;
        const char* verdict;
    };
    // The limits of RFC 5321 §4.5.3.2; one that a server feeds with single octets is no longer.
    for (const expectation& x : {expectation{3, reply_fault::never, 5min, "deferred"},
                                 expectation{3, reply_fault::endless, 5min, "deferred"},
                                 expectation{6, reply_fault::never, 10min, "in doubt"},
                                 expectation{6, reply_fault::endless, 10min, "in doubt"}}) {
        SCOPED_TRACE(fmt::format("reply {} {}", x.reply, static_cast<int>(x.fault)));
        for (const bool bounded : {false, true}) {
            sim_manners how;
            how.reply_number = x.reply;
            how.fault = x.fault;
            listen(how);
            settings s;
            if (bounded)
                s.timeout(90s);
            client smtp = make(s);
            ASSERT_FALSE(connect(smtp));
            const net::time_point began = world->now();
            const report r = send(smtp, to({"bob@b.example"}));
            EXPECT_EQ(verdicts(r), x.verdict) << test::in_full(r);
            EXPECT_EQ(ec, make_error_code(error::timed_out));
            const std::chrono::seconds limit = bounded ? 90s : x.limit;
            EXPECT_GE(world->now() - began, limit);
            EXPECT_LE(world->now() - began, limit + 1s);
        }
    }
}

TEST_F(client_test, a_server_that_stops_reading_is_given_up)
{
    sim_line line;
    line.cut_up_after = 2000;
    line.how = sim_line::cut::silence;
    line.window = 4096;
    listen({}, line);
    client smtp = make();
    ASSERT_FALSE(connect(smtp));
    const net::time_point began = world->now();
    const report r = send(smtp, to({"bob@b.example"}, std::string(100'000, 'x')));
    EXPECT_EQ(verdicts(r), "deferred");
    EXPECT_EQ(ec, make_error_code(error::timed_out));
    EXPECT_LE(world->now() - began, 4min);
}

TEST_F(client_test, how_connecting_fails)
{
    client smtp = make();
    EXPECT_EQ(connect(smtp), make_error_code(error::lookup_failed));
    EXPECT_EQ(connected.meaning, verdict::refused);
    EXPECT_EQ(connected.where, phase::lookup);

    listen();
    world->put("192.0.2.1:25", sim_place{sim_place::kind::silent, {}, {}, {}});
    const net::time_point began = world->now();
    EXPECT_EQ(connect(smtp), make_error_code(error::unreachable));
    EXPECT_EQ(world->now() - began >= 30s && world->now() - began < 31s, true);
    EXPECT_EQ(connected.meaning, verdict::deferred);

    sim_manners how;
    how.reply_number = 1;
    how.fault = reply_fault::refusal;
    listen(how);
    EXPECT_EQ(connect(smtp), make_error_code(error::server_unavailable));
    ASSERT_TRUE(connected.said);
    EXPECT_EQ(connected.said->code(), 554);
    EXPECT_FALSE(smtp.is_open());

    EXPECT_EQ(verdicts(send(smtp, to({"bob@b.example"}))), "untried");
    EXPECT_EQ(ec, make_error_code(error::not_connected));
    expect_nothing_left();
}

TEST_F(client_test, a_name_that_is_none_is_said_at_once)
{
    client smtp = delivery::client_in(world, settings().our_name("not a name"));
    EXPECT_EQ(connect(smtp), make_error_code(error::invalid_argument));
    EXPECT_THAT(connected.why, HasSubstr("not a name"));
}

TEST_F(client_test, over_a_stream_of_ones_own)
{
    const auto peer = std::make_shared<test::sim_mail_server>("mx", sim_manners(), taken);
    client smtp = delivery::client_in(world, {});
    std::optional<error_code> got;
    smtp.async_connect(world->connected(peer), [&](error_code e, connect_report) { got = e; });
    world->run();
    EXPECT_TRUE(got == error_code());
    EXPECT_EQ(verdicts(send(smtp, to({"bob@b.example"}))), "delivered 250");
    EXPECT_THAT(peer->heard(), testing::StartsWith("EHLO [192.0.2.99]\r\n"));
}

TEST_F(client_test, what_is_said_can_be_watched)
{
    listen();
    std::string seen;
    settings how;
    how.trace([&](const trace_line& l) {
        constexpr const char* marks[] = {"C: ", "S: ", "!: ", "B: "};
        seen += marks[static_cast<int>(l.what)];
        seen += std::string(l.octets) + "\n";
    });
    client smtp = make(how);
    ASSERT_FALSE(connect(smtp));
    (void)send(smtp, to({"bob@b.example"}));
    EXPECT_THAT(
        seen,
        HasSubstr("C: MAIL FROM:<ann@a.example>\nC: RCPT TO:<bob@b.example>\nC: DATA\nS: 250 2.1.0 go on\n"));
    EXPECT_THAT(seen, HasSubstr("B: 25 octets of message, and the lone dot\nS: 250 2.0.0 taken as 0"));
}

} // namespace
} // namespace postrider
