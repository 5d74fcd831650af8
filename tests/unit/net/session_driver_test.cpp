// SPDX-License-Identifier: MIT
// unit/net/session_driver: what the driver does with the wire, and with nothing else.
#include "net/session_driver.hpp"

#include "postrider/error.hpp"
#include "support/sim_script.hpp"
#include "support/sim_world.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace postrider::net {
namespace {

using namespace std::chrono_literals;
using step = test::sim_script::step;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class session_driver_test : public testing::Test {
protected:
    void connect(std::vector<step> steps, test::sim_line line = {}, driver_options options = {})
    {
        peer = std::make_shared<test::sim_script>(std::move(steps));
        options.session.our_name = "client.example";
        driver.emplace(world, world->connected(peer, line), std::move(options));
        driver->start([this] { ++ended; });
    }

    void start(std::vector<step> steps, test::sim_line line = {}, driver_options options = {})
    {
        connect(std::move(steps), line, std::move(options));
        EXPECT_TRUE(world->run(1h, [this] { return ended == 1; }));
    }

    void deliver(body content, std::vector<std::string> recipients = {"bob@b.example"})
    {
        smtp::transaction t;
        t.reverse_path = address("ann@a.example");
        for (const std::string& r : recipients)
            t.recipients.emplace_back(r);
        std::vector<session_driver::outgoing> all;
        all.push_back({std::move(t), std::move(content)});
        driver->deliver(std::move(all), [this] { ++ended; });
    }

    // "delivered", or what else became of the next message.
    std::string settled()
    {
        const auto message = driver->session().take_settled();
        if (!message)
            return "nothing";
        return std::string(to_string(message->outcomes.front().verdict)) +
               (message->outcomes.front().error ? ": " + message->outcomes.front().error.message() : "");
    }

    void expect_nothing_left()
    {
        EXPECT_EQ(world->open_waits(), 0u);
        world->run();
        EXPECT_EQ(world->open_connections(), 0u);
    }

    static std::vector<step> polite(std::vector<step> rest)
    {
        std::vector<step> all{{"", "220 mx\r\n"}, {"EHLO", "250-mx\r\n250 PIPELINING\r\n"}};
        all.insert(all.end(), rest.begin(), rest.end());
        return all;
    }

    asio::io_context context;
    std::shared_ptr<test::sim_world> world = std::make_shared<test::sim_world>(context, 7);
    std::shared_ptr<test::sim_script> peer;
    std::optional<session_driver> driver;
    int ended = 0;
};

TEST_F(session_driver_test, one_message_and_a_goodbye)
{
    start(polite({{"DATA\r\n", "250 a\r\n250 b\r\n354 c\r\n"},
                  {"\r\n.\r\n", "250 d\r\n"},
                  {"QUIT", "221 e\r\n", true}}));
    EXPECT_EQ(world->open_waits(), 0u) << "at rest nothing is waited for";
    deliver("one\n.two");
    world->run();
    EXPECT_EQ(ended, 2);
    EXPECT_EQ(settled(), "delivered");
    EXPECT_EQ(driver->body_octets(), 15u) << "one CRLF ..two CRLF . CRLF";
    EXPECT_THAT(peer->heard(), EndsWith("DATA\r\none\r\n..two\r\n.\r\n"));
    driver->quit([this] { ++ended; });
    world->run();
    EXPECT_EQ(ended, 3);
    EXPECT_TRUE(driver->closed());
    expect_nothing_left();
}

// Gives as much at a time as is asked for, and then nothing any more.
class brimful_stream final : public stream {
public:
    brimful_stream(asio::any_io_executor executor, std::string octets, std::string& heard)
        : executor_(std::move(executor)), octets_(std::move(octets)), heard_(heard)
    {
    }

    asio::any_io_executor get_executor() override { return executor_; }

    void async_read(asio::mutable_buffer into, handler done) override
    {
        error_code ec;
        const std::size_t n = read_now(into, ec);
        if (!ec)
            asio::post(executor_,
                       [n, done = std::move(done)]() mutable { std::move(done)(error_code(), n); });
        else
            waiting_.swap(done);
    }

    void async_write(std::span<const asio::const_buffer>, handler) override {}

    std::size_t read_now(asio::mutable_buffer into, error_code& ec) override
    {
        if (octets_.empty())
            ec = asio::error::would_block;
        const std::size_t n = asio::buffer_copy(into, asio::buffer(octets_));
        octets_.erase(0, n);
        return n;
    }

    std::size_t write_now(std::span<const asio::const_buffer> octets, error_code&) override
    {
        std::size_t n = 0;
        for (const asio::const_buffer& b : octets) {
            heard_.append(static_cast<const char*>(b.data()), b.size());
            n += b.size();
        }
        return n;
    }

    void cancel() override {}
    void close() noexcept override { waiting_ = nullptr; }
    std::string peer() const override { return "a test"; }

private:
    asio::any_io_executor executor_;
    std::string octets_;
    std::string& heard_;
    handler waiting_;
};

// Once a reply that ended just where a read did was waited for until its time was up.
TEST_F(session_driver_test, a_reply_may_end_where_a_read_does)
{
    for (const std::size_t octets : {16384u, 2u * 16384u}) {
        std::string greeting, heard;
        while (octets - greeting.size() > 2000)
            greeting += "220-" + std::string(994, 'x') + "\r\n";
        greeting += "220 " + std::string(octets - greeting.size() - 6, 'x') + "\r\n";
        driver_options options;
        options.session.our_name = "client.example";
        session_driver one(world, std::make_unique<brimful_stream>(world->executor(), greeting, heard),
                           options);
        bool over = false;
        one.start([&over] { over = true; });
        world->run(1s, [] { return false; });
        EXPECT_EQ(heard, "EHLO client.example\r\n") << octets;
        EXPECT_FALSE(over) << octets;
    }
}

// A reply to what was not asked came while nothing was: the next message must not take it for its own.
TEST_F(session_driver_test, what_came_at_rest_is_told_first)
{
    start(polite({{"", "250 surplus\r\n250 more\r\n"}}));
    world->run(1s, [] { return false; });
    deliver("hi");
    world->run();
    EXPECT_EQ(ended, 2);
    EXPECT_THAT(settled(), StartsWith("untried"));
    EXPECT_THAT(peer->heard(), EndsWith("EHLO client.example\r\n")) << "nothing was said any more";
    expect_nothing_left();
}

TEST_F(session_driver_test, a_message_for_a_connection_that_was_closed_is_untried)
{
    start(polite({}));
    driver->cancel();
    EXPECT_TRUE(driver->closed());
    deliver("hi");
    world->run();
    EXPECT_EQ(ended, 2);
    EXPECT_THAT(settled(), StartsWith("untried"));
    expect_nothing_left();
}

TEST_F(session_driver_test, cancelled_before_it_began)
{
    peer = std::make_shared<test::sim_script>(std::vector<step>());
    driver_options options;
    options.session.our_name = "client.example";
    driver.emplace(world, world->connected(peer), options);
    driver->cancel();
    driver->start([this] { ++ended; });
    world->run();
    EXPECT_EQ(ended, 1);
    EXPECT_TRUE(driver->closed());
    EXPECT_EQ(driver->session().failure()->error, make_error_code(error::cancelled));
    expect_nothing_left();
}

TEST_F(session_driver_test, its_end_is_the_end_of_all)
{
    connect({});
    world->run(1s, [] { return false; });
    EXPECT_GT(world->open_waits(), 0u);
    driver.reset();
    world->settle();
    EXPECT_EQ(ended, 0) << "who destroys it is told nothing";
    expect_nothing_left();
}

// Octets that end no reply buy no time: one a minute for ever is five minutes, and no more.
TEST_F(session_driver_test, a_dribbling_server_has_one_limit_for_its_reply)
{
    connect({{"", "220-m"}});
    const time_point began = world->now();
    for (int minute = 1; minute < 100; ++minute)
        world->at(began + minute * 1min, [this] { peer->wire().say("x"); });
    world->run(1h, [this] { return ended == 1; });
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(driver->session().failure()->error, make_error_code(error::timed_out));
    EXPECT_LE(world->now() - began, 5min + 1s);
}

// A slow peer that goes on is not: each block has its own three minutes.
TEST_F(session_driver_test, a_body_that_goes_on_slowly_is_waited_for)
{
    test::sim_line line;
    line.window = 4;
    line.delay = 30s;
    start(polite({{"DATA\r\n", "250 a\r\n250 b\r\n354 c\r\n"}, {"\r\n.\r\n", "250 d\r\n"}}), line);
    const time_point began = world->now();
    deliver(std::string(60, 'x'));
    EXPECT_TRUE(world->run(24h, [this] { return ended == 2; }));
    EXPECT_EQ(settled(), "delivered");
    EXPECT_GT(world->now() - began, 8min);
}

// But not for ever: who takes four octets a minute has a time for the message, too.
TEST_F(session_driver_test, a_message_has_a_time_in_all)
{
    test::sim_line line;
    line.window = 4;
    line.delay = 30s;
    driver_options options;
    options.message_max = 1h;
    start(polite({{"DATA\r\n", "250 a\r\n250 b\r\n354 c\r\n"}, {"\r\n.\r\n", "250 d\r\n"}}), line, options);
    deliver(std::string(100'000, 'x'));
    EXPECT_TRUE(world->run(240h, [this] { return ended == 2; }));
    EXPECT_EQ(settled(), "deferred: timed out");
    const std::string why = driver->session().failure()->why;
    EXPECT_THAT(why, HasSubstr("after 3600 s"));
    EXPECT_THAT(why, HasSubstr("one message took all the time"));
    expect_nothing_left();
}

TEST_F(session_driver_test, a_limit_of_the_callers_bounds_every_wait)
{
    driver_options options;
    options.wait_max = 7s;
    connect({}, {}, options);
    const time_point began = world->now();
    world->run();
    EXPECT_EQ(ended, 1);
    EXPECT_GE(world->now() - began, 7s);
    EXPECT_LE(world->now() - began, 7s + 10ms);
}

// The server refuses while the body is on its way and does not take more: its words are the verdict.
TEST_F(session_driver_test, words_that_come_while_writing_are_heard)
{
    test::sim_line line;
    line.window = 2000;
    start(
        polite({{"DATA\r\n", "250 a\r\n250 b\r\n354 c\r\n"}, {"xxx", "552 5.3.4 too big\r\n", false, true}}),
        line);
    deliver(std::string(100'000, 'x'));
    world->run(1min, [this] { return ended == 2; });
    EXPECT_EQ(ended, 2);
    EXPECT_THAT(settled(), StartsWith("refused"));
    expect_nothing_left();
}

class watcher final : public session_observer {
public:
    void on_said(std::string_view octets) override
    {
        all += fmt::format("C {};", octets.substr(0, octets.find_first_of(" \r")));
    }
    void on_heard(std::string_view octets) override { heard += octets; }
    void on_body_progress(std::uint64_t, std::uint64_t octets, bool ended) override
    {
        ends += ended;
        last = octets;
    }
    void on_network(std::string_view what) override { all += fmt::format("! {};", what); }

    std::string all, heard;
    std::uint64_t last = 0;
    int ends = 0;
};

TEST_F(session_driver_test, an_observer_sees_it_all)
{
    watcher seen;
    driver_options options;
    options.observer = &seen;
    start(polite({{"DATA\r\n", "250 a\r\n250 b\r\n354 c\r\n"}, {"\r\n.\r\n", "25", true}}), {}, options);
    deliver("hello");
    world->run();
    EXPECT_EQ(settled(), "in doubt: " + make_error_code(error::connection_lost).message());
    EXPECT_EQ(seen.all, "C EHLO;C MAIL;! " + make_error_code(error::connection_lost).message() + ";");
    EXPECT_EQ(seen.heard, "220 mx\r\n250-mx\r\n250 PIPELINING\r\n250 a\r\n250 b\r\n354 c\r\n25");
    EXPECT_EQ(seen.last, 10u);
    EXPECT_EQ(seen.ends, 1);
}

// Sees how far the body had come when somebody else on the loop had his first turn.
class turn_watcher final : public session_observer {
public:
    explicit turn_watcher(asio::io_context& c) : context(c) {}

    void on_said(std::string_view) override {}
    void on_heard(std::string_view) override {}
    void on_network(std::string_view) override {}
    void on_body_progress(std::uint64_t, std::uint64_t octets, bool) override
    {
        if (std::exchange(so_far, octets) == 0)
            asio::post(context, [this] { at_first_turn = so_far; });
    }

    asio::io_context& context;
    std::uint64_t so_far = 0, at_first_turn = 0;
};

TEST_F(session_driver_test, a_fast_line_leaves_time_for_others)
{
    turn_watcher seen(context);
    driver_options options;
    options.observer = &seen;
    test::sim_line line;
    line.window = 64u << 20;
    start(polite({{"DATA\r\n", "250 a\r\n250 b\r\n354 c\r\n"}, {"\r\n.\r\n", "250 d\r\n"}}), line, options);
    deliver(std::string(8u << 20, 'x'));
    EXPECT_TRUE(world->run(1h, [this] { return ended == 2; }));
    EXPECT_EQ(settled(), "delivered");
    EXPECT_LT(seen.at_first_turn, 2u << 20);
}

} // namespace
} // namespace postrider::net
