// SPDX-License-Identifier: MIT
// unit/net/tls_stream: both sides are ours, over streams in memory that cut and block as they like.
#include "net/tls_stream.hpp"

#include "net/clock.hpp"
#include "postrider/error.hpp"
#include "support/sim_authority.hpp"
#include "support/sim_pair.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/io_context.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>

namespace postrider::net {
namespace {

using test::sim_certificate;
using test::sim_pair_rules;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// Writes all it is given, reads all that comes, in buffers of any size.
class speaker {
public:
    speaker(stream& over, std::string to_say, std::size_t buffer = 4096)
        : over_(over), to_say_(std::move(to_say)), into_(buffer)
    {
    }

    void start()
    {
        say();
        listen();
    }

    void say()
    {
        if (said == to_say_.size())
            return;
        const asio::const_buffer rest = asio::buffer(to_say_) + said;
        over_.async_write({&rest, 1}, [this](error_code ec, std::size_t n) {
            said += n;
            write_end = ec;
            if (!ec)
                say();
        });
    }

    void listen()
    {
        over_.async_read(asio::buffer(into_), [this](error_code ec, std::size_t n) {
            heard.append(into_.data(), n);
            read_end = ec;
            if (!ec)
                listen();
        });
    }

    bool all_said() const { return said == to_say_.size(); }

    std::size_t said = 0;
    std::string heard;
    error_code read_end, write_end;

private:
    stream& over_;
    std::string to_say_;
    std::vector<char> into_;
};

class tls_stream_test : public testing::Test {
protected:
    static void SetUpTestSuite() { authority = std::make_unique<test::sim_authority>(); }
    static void TearDownTestSuite() { authority.reset(); }

    static tls_client_settings trusting() { return tls_client_settings().trust(authority->file()); }

    static tls_server_settings serving(const sim_certificate& what = {})
    {
        const auto files = authority->issue(what);
        return {files.certificate, files.key};
    }

    void run()
    {
        context.restart();
        context.run();
    }

    void begin(const tls_client_settings& ours, const tls_server_settings& theirs, sim_pair_rules rules = {},
               const std::string& host = "mail.example.org")
    {
        client.reset();
        server.reset();
        test::sim_pair pair = test::make_sim_pair(context.get_executor(), rules);
        under_server = pair.second.get();
        start_tls(std::move(pair.first), make_tls_context(ours), host,
                  [this](tls_result r) { client.emplace(std::move(r)); });
        start_tls(std::move(pair.second), make_tls_context(theirs), {},
                  [this](tls_result r) { server.emplace(std::move(r)); });
    }

    // A handshake to its end; true if both sides succeeded.
    bool shake(const tls_client_settings& ours, const tls_server_settings& theirs, sim_pair_rules rules = {},
               const std::string& host = "mail.example.org")
    {
        begin(ours, theirs, rules, host);
        run();
        return client && server && client->made && server->made;
    }

    bool shake(sim_pair_rules rules = {}) { return shake(trusting(), serving(), rules); }

    // Why a client refuses this certificate.
    std::string refusal(const sim_certificate& what, const tls_client_settings& how = trusting(),
                        const std::string& host = "mail.example.org")
    {
        begin(how, serving(what), {}, host);
        run();
        EXPECT_TRUE(client && server);
        EXPECT_FALSE(client->made);
        EXPECT_EQ(client->error, make_error_code(error::certificate_refused));
        return client->sentence;
    }

    // What a client says of a peer that answers its hello with this.
    tls_result answered(std::string_view answer, bool then_close = false, sim_pair_rules rules = {})
    {
        test::sim_pair pair = test::make_sim_pair(context.get_executor(), rules);
        std::optional<tls_result> got;
        start_tls(std::move(pair.first), make_tls_context(trusting()), "mail.example.org",
                  [&](tls_result r) { got.emplace(std::move(r)); });
        speaker peer(*pair.second, std::string(answer));
        peer.say();
        run();
        if (then_close)
            pair.second->close();
        run();
        EXPECT_TRUE(got);
        return got ? std::move(*got) : tls_result();
    }

    static inline std::unique_ptr<test::sim_authority> authority;
    asio::io_context context;
    std::optional<tls_result> client, server;
    stream* under_server = nullptr;
};

std::string lines(std::size_t octets)
{
    std::string all;
    for (std::size_t i = 0; all.size() < octets; ++i)
        all += fmt::format("line {}\r\n", i);
    all.resize(octets);
    return all;
}

// ---- octets both ways ---------------------------------------------------------------------

TEST_F(tls_stream_test, says_what_was_agreed)
{
    ASSERT_TRUE(shake()) << client->sentence;
    EXPECT_THAT(client->summary, StartsWith("TLSv1.3, TLS_"));
    EXPECT_EQ(client->summary, server->summary);
    EXPECT_EQ(client->made->peer(), "second.example");
    EXPECT_EQ(client->made->local_literal(), "[192.0.2.1]");
    EXPECT_EQ(client->made->get_executor(), asio::any_io_executor(context.get_executor()));
}

TEST_F(tls_stream_test, any_pieces_windows_and_buffers)
{
    for (const std::size_t piece : {1u, 2u, 7u, 60u, 65'536u})
        for (const std::size_t window : {1u, 1000u, 65'536u})
            for (const bool knows_now : {true, false}) {
                SCOPED_TRACE(fmt::format("pieces of {}, window {}, now {}", piece, window, knows_now));
                const std::string up = lines(std::min<std::size_t>(piece * 3000, 40'000));
                const std::string down = lines(up.size() / 2);
                ASSERT_TRUE(shake({.piece_max = piece, .window = window, .knows_now = knows_now}));
                speaker one(*client->made, up, piece * 3), two(*server->made, down, 20'000);
                one.start();
                two.start();
                run();
                EXPECT_EQ(two.heard, up);
                EXPECT_EQ(one.heard, down);
                EXPECT_TRUE(one.all_said() && two.all_said());
                client->made->close();
                run();
                EXPECT_EQ(two.read_end, asio::error::eof) << two.read_end.message();
                EXPECT_EQ(one.read_end, asio::error::operation_aborted);
            }
}

TEST_F(tls_stream_test, ten_megabytes_both_ways_at_once)
{
    ASSERT_TRUE(shake());
    const std::string much = lines(10 << 20);
    speaker one(*client->made, much), two(*server->made, much, 65'536);
    one.start();
    two.start();
    run();
    EXPECT_TRUE(one.heard == much);
    EXPECT_TRUE(two.heard == much);
    client->made->close();
    run();
}

TEST_F(tls_stream_test, now_does_what_can_be_done_now)
{
    ASSERT_TRUE(shake());
    std::array<char, 64> in{};
    error_code ec;
    EXPECT_EQ(client->made->read_now(asio::buffer(in), ec), 0u);
    EXPECT_EQ(ec, asio::error::would_block);

    const std::array<asio::const_buffer, 4> out{asio::buffer("one ", 4), asio::buffer("", 0),
                                                asio::buffer("two ", 4), asio::buffer("three", 5)};
    EXPECT_EQ(client->made->write_now(out, ec), 13u);
    EXPECT_FALSE(ec);
    EXPECT_EQ(server->made->read_now(asio::buffer(in), ec), 13u) << "one record";
    EXPECT_FALSE(ec);
    EXPECT_EQ(std::string_view(in.data(), 13), "one two three");
}

TEST_F(tls_stream_test, now_takes_a_record_more_than_the_way_holds_and_no_more)
{
    ASSERT_TRUE(shake({.window = 20'000}));
    const std::string much = lines(200'000);
    const asio::const_buffer all = asio::buffer(much);
    error_code ec;
    const std::size_t taken = client->made->write_now({&all, 1}, ec);
    EXPECT_FALSE(ec);
    EXPECT_EQ(taken, 32'768u);
    EXPECT_EQ(client->made->write_now({&all, 1}, ec), 0u);
    EXPECT_EQ(ec, asio::error::would_block);

    speaker rest(*client->made, much.substr(taken)), far(*server->made, "");
    rest.say();
    far.start();
    run();
    EXPECT_TRUE(far.heard == much);
    client->made->close();
    run();
}

TEST_F(tls_stream_test, nothing_at_all_takes_no_time)
{
    ASSERT_TRUE(shake());
    int done = 0;
    client->made->async_read(asio::mutable_buffer(), [&](error_code ec, std::size_t n) {
        EXPECT_FALSE(ec);
        EXPECT_EQ(n, 0u);
        ++done;
    });
    client->made->async_write({}, [&](error_code ec, std::size_t n) {
        EXPECT_FALSE(ec);
        EXPECT_EQ(n, 0u);
        ++done;
    });
    EXPECT_EQ(done, 0) << "never from inside the call";
    run();
    EXPECT_EQ(done, 2);
}

TEST_F(tls_stream_test, a_write_is_done_when_its_octets_have_left)
{
    ASSERT_TRUE(shake({.window = 1000}));
    speaker one(*client->made, lines(5000));
    one.say();
    run();
    EXPECT_EQ(one.said, 0u) << "the window is full";
    speaker two(*server->made, "");
    two.listen();
    run();
    EXPECT_EQ(one.said, 5000u);
    EXPECT_EQ(two.heard, lines(5000));
    client->made->close();
    run();
}

// ---- cancelling and closing ---------------------------------------------------------------

TEST_F(tls_stream_test, cancel_ends_what_is_under_way_and_loses_nothing)
{
    ASSERT_TRUE(shake());
    std::array<char, 64> in{};
    error_code why;
    client->made->async_read(asio::buffer(in), [&](error_code ec, std::size_t) { why = ec; });
    context.poll();
    client->made->cancel();
    run();
    EXPECT_EQ(why, asio::error::operation_aborted);

    speaker two(*server->made, "still here");
    two.say();
    std::size_t came = 0;
    client->made->async_read(asio::buffer(in), [&](error_code, std::size_t n) { came = n; });
    run();
    EXPECT_EQ(std::string_view(in.data(), came), "still here");
}

TEST_F(tls_stream_test, a_slot_ends_its_own_operation_only)
{
    ASSERT_TRUE(shake({.window = 1000}));
    asio::cancellation_signal stop;
    std::array<char, 64> in{};
    error_code why;
    std::size_t written = 0;
    client->made->async_read(
        asio::buffer(in),
        asio::bind_cancellation_slot(stop.slot(), [&](error_code ec, std::size_t) { why = ec; }));
    const std::string much = lines(5000);
    const asio::const_buffer all = asio::buffer(much);
    client->made->async_write({&all, 1}, [&](error_code, std::size_t n) { written = n; });
    context.restart();
    context.poll();
    stop.emit(asio::cancellation_type::terminal);
    stop.emit(asio::cancellation_type::terminal);
    run();
    EXPECT_EQ(why, asio::error::operation_aborted);
    EXPECT_EQ(written, 0u);

    speaker two(*server->made, "");
    two.listen();
    run();
    EXPECT_EQ(written, 5000u);
    EXPECT_EQ(two.heard, much);
    stop.emit(asio::cancellation_type::terminal); // stands for nothing any more
    client->made->close();
    run();
}

TEST_F(tls_stream_test, what_was_taken_leaves_after_close)
{
    ASSERT_TRUE(shake({.window = 1000}));
    const std::string much = lines(5000);
    const asio::const_buffer all = asio::buffer(much);
    error_code ec;
    ASSERT_EQ(client->made->write_now({&all, 1}, ec), 5000u);
    client->made.reset();
    speaker two(*server->made, "");
    two.listen();
    run();
    EXPECT_EQ(two.heard, much);
    EXPECT_EQ(two.read_end, asio::error::eof) << "with close_notify: " << two.read_end.message();
}

TEST_F(tls_stream_test, close_waits_for_a_peer_that_reads_nothing_and_not_for_ever)
{
    asio::use_service<timer_service>(context).make_virtual();
    ASSERT_TRUE(shake({.window = 1000}));
    const std::string much = lines(5000);
    const asio::const_buffer all = asio::buffer(much);
    error_code ec;
    ASSERT_EQ(client->made->write_now({&all, 1}, ec), 5000u);
    client->made->close();
    run();
    EXPECT_EQ(server->made->write_now({&all, 1}, ec), 5000u) << "nobody has closed yet";
    EXPECT_TRUE(asio::use_service<timer_service>(context).advance());
    run();
    speaker two(*server->made, lines(5000));
    two.start();
    run();
    EXPECT_EQ(two.read_end, make_error_code(error::tls_truncated)) << two.read_end.message();
    EXPECT_TRUE(two.write_end);
    EXPECT_FALSE(asio::use_service<timer_service>(context).advance()) << "nobody waits any more";
}

TEST_F(tls_stream_test, who_gives_up_writing_does_not_linger)
{
    asio::use_service<timer_service>(context).make_virtual();
    ASSERT_TRUE(shake({.window = 1000}));
    speaker one(*client->made, lines(5000));
    one.start();
    run();
    client->made->close();
    client->made->close();
    run();
    EXPECT_EQ(one.write_end, asio::error::operation_aborted);
    EXPECT_FALSE(asio::use_service<timer_service>(context).advance());
    std::array<char, 8> in{};
    error_code ec;
    client->made->read_now(asio::buffer(in), ec);
    EXPECT_EQ(ec, asio::error::bad_descriptor);
}

TEST_F(tls_stream_test, an_end_without_close_notify_is_no_end_of_data)
{
    ASSERT_TRUE(shake());
    speaker one(*client->made, ""), two(*server->made, "220 hello\r\n");
    one.start();
    two.say();
    run();
    under_server->close();
    run();
    EXPECT_EQ(one.heard, "220 hello\r\n");
    EXPECT_EQ(one.read_end, make_error_code(error::tls_truncated)) << one.read_end.message();
    EXPECT_THAT(one.read_end.message(), HasSubstr("close_notify"));
    std::array<char, 8> in{};
    error_code again;
    client->made->read_now(asio::buffer(in), again);
    EXPECT_EQ(again, one.read_end) << "and stays so";
}

TEST_F(tls_stream_test, a_loop_that_is_destroyed_takes_along_who_waits)
{
    // Over a coroutine, a handler holds the stream whose handler it is. The sanitizer counts what is left.
    auto loop = std::make_unique<asio::io_context>();
    test::sim_pair pair = test::make_sim_pair(loop->get_executor());
    std::optional<tls_result> one, two;
    start_tls(std::move(pair.first), make_tls_context(trusting()), "mail.example.org",
              [&](tls_result r) { one.emplace(std::move(r)); });
    start_tls(std::move(pair.second), make_tls_context(serving()), {},
              [&](tls_result r) { two.emplace(std::move(r)); });
    loop->run();
    ASSERT_TRUE(one && one->made && two && two->made);

    struct holder {
        std::unique_ptr<stream> held;
        std::array<char, 8> in{};
        bool* gone;
        ~holder() { *gone = true; }
    };
    bool gone = false;
    auto held = std::make_shared<holder>();
    held->gone = &gone;
    held->held = std::move(one->made);
    stream& s = *held->held;
    s.async_read(asio::buffer(held->in), [held](error_code, std::size_t) {});
    held.reset();
    two->made.reset(); // its end completes the read below, in a handler that is never called
    loop.reset();
    EXPECT_TRUE(gone);
}

TEST_F(tls_stream_test, a_loop_that_is_destroyed_takes_along_a_handshake)
{
    auto loop = std::make_unique<asio::io_context>();
    test::sim_pair pair = test::make_sim_pair(loop->get_executor());
    auto told = std::make_shared<int>(0);
    const std::weak_ptr<int> left = told;
    start_tls(std::move(pair.first), make_tls_context(trusting()), "mail.example.org",
              [told](tls_result) { ++*told; });
    told.reset();
    loop->poll();
    EXPECT_FALSE(left.expired()) << "it waits for the server's hello";
    pair.second.reset(); // completes the read below, in a handler that is never called
    loop.reset();
    EXPECT_TRUE(left.expired());
}

TEST_F(tls_stream_test, writing_to_who_has_closed)
{
    ASSERT_TRUE(shake());
    speaker one(*client->made, lines(50'000)), two(*server->made, "");
    two.listen();
    one.start();
    run();
    EXPECT_EQ(two.heard, lines(50'000));
    server->made->close();
    run();
    EXPECT_EQ(one.read_end, asio::error::eof);
    const asio::const_buffer word("x", 1);
    error_code ec;
    std::size_t n = 0;
    for (int i = 0; i < 3 && !ec; ++i)
        n = client->made->write_now({&word, 1}, ec);
    EXPECT_EQ(n, 0u);
    EXPECT_EQ(ec, asio::error::broken_pipe) << "what the stream below says";
}

// ---- cuts and garbage ---------------------------------------------------------------------

// A cut after any octet, either way: both sides come to an end, and nobody claims what did not come.
TEST_F(tls_stream_test, cut_after_any_octet)
{
    const std::string up = "EHLO client.example\r\n";
    const std::string down = "250 server.example\r\n";
    const tls_client_settings ours = trusting();
    const tls_server_settings theirs = serving();
    for (const bool by_reset : {false, true})
        for (const bool upward : {false, true}) {
            bool whole = false;
            for (std::uint64_t after = 0; !whole && after < 5000; after += by_reset ? 7 : 1) {
                SCOPED_TRACE(fmt::format("{} after {}, reset {}", upward ? "up" : "down", after, by_reset));
                sim_pair_rules rules;
                (upward ? rules.cut_up_after : rules.cut_down_after) = after;
                rules.cut_by_reset = by_reset;
                const bool ok = shake(ours, theirs, rules);
                ASSERT_TRUE(client);
                if (!client->made) {
                    EXPECT_TRUE(client->error == make_error_code(error::connection_lost) ||
                                client->error == make_error_code(error::tls_failed));
                    EXPECT_FALSE(client->sentence.empty());
                }
                if (!ok)
                    continue;
                speaker one(*client->made, up), two(*server->made, down);
                one.start();
                two.start();
                run();
                EXPECT_TRUE(up.starts_with(two.heard));
                EXPECT_TRUE(down.starts_with(one.heard));
                whole = one.heard == down && two.heard == up && !one.read_end && !two.read_end;
                if (!whole) {
                    EXPECT_TRUE(one.read_end || two.read_end);
                    EXPECT_NE(one.read_end, asio::error::eof);
                    EXPECT_NE(two.read_end, asio::error::eof);
                }
                client->made->close();
                run();
            }
            EXPECT_TRUE(whole);
        }
}

TEST_F(tls_stream_test, plain_text_instead_of_a_handshake)
{
    EXPECT_EQ(
        answered("220 mail.example.org ESMTP\r\n").sentence,
        "TLS spoken to a port that answered in plain text (`220 mail.example.org ESMTP`): use starttls");
    EXPECT_EQ(answered("220 \x1b[2J\x7f evil\r\n").sentence,
              "TLS spoken to a port that answered in plain text (`220 \\x1b[2J\\x7f evil`): use starttls");
    EXPECT_EQ(answered("* OK IMAP\r\n").sentence,
              "TLS spoken to a port that answered in plain text (`* OK IMAP`)");
    EXPECT_EQ(answered("220 x\r\n").error, make_error_code(error::tls_failed));
    EXPECT_EQ(answered("no\r\n", true).sentence, "TLS spoken to a port that answered in plain text (`no`)");
    for (const std::size_t piece : {1u, 2u, 7u})
        EXPECT_THAT(answered("220 mail.example.org ESMTP\r\n", false, {.piece_max = piece}).sentence,
                    AllOf(StartsWith("TLS spoken to a port that answered in plain text (`220"),
                          EndsWith("use starttls")));
    const std::string endless = answered("220 " + std::string(100'000, 'x')).sentence;
    EXPECT_LT(endless.size(), 200u);
}

TEST_F(tls_stream_test, garbage_instead_of_a_handshake)
{
    EXPECT_EQ(answered(std::string("\x00\x01\x02\x03\x04\x05", 6)).sentence,
              "mail.example.org spoke what is no TLS: `\\x00\\x01\\x02\\x03\\x04\\x05`");
    const tls_result broken = answered(std::string("\x16\x03\x03\x00\x04", 5) + "abcd");
    EXPECT_THAT(broken.sentence, StartsWith("the TLS handshake with mail.example.org failed: "));
    EXPECT_EQ(broken.error, make_error_code(error::tls_failed));
    EXPECT_EQ(
        answered("", true).sentence,
        "mail.example.org closed the connection instead of a TLS handshake: is TLS spoken on that port?");
    EXPECT_EQ(answered("", true).error, make_error_code(error::connection_lost));
    EXPECT_EQ(answered(std::string("\x16\x03\x03\x00\x04", 5), true).sentence,
              "mail.example.org closed the connection during the TLS handshake");
}

TEST_F(tls_stream_test, alerts_are_told_in_words)
{
    EXPECT_EQ(answered(std::string("\x15\x03\x03\x00\x02\x02\x46", 7)).sentence,
              "mail.example.org speaks no version of TLS that is accepted here (1.2 and 1.3)");
    EXPECT_EQ(answered(std::string("\x15\x03\x03\x00\x02\x02\x28", 7)).sentence,
              "mail.example.org ended the TLS handshake: handshake failure (it accepts none of the ways to "
              "encrypt that this side offers)");
    EXPECT_EQ(
        answered(std::string("\x15\x03\x03\x00\x02\x02\x70", 7)).sentence,
        "mail.example.org ended the TLS handshake: unrecognized name (it knows nothing of the name that "
        "it was asked for)");
}

TEST_F(tls_stream_test, a_server_says_who_speaks_plain_text_to_it)
{
    test::sim_pair pair = test::make_sim_pair(context.get_executor());
    start_tls(std::move(pair.second), make_tls_context(serving()), {},
              [this](tls_result r) { server.emplace(std::move(r)); });
    speaker peer(*pair.first, "EHLO client.example\r\n");
    peer.start();
    run();
    ASSERT_TRUE(server);
    EXPECT_EQ(server->error, make_error_code(error::tls_failed));
    EXPECT_EQ(server->sentence,
              "first.example spoke plain text to a port that is for TLS from the first octet: "
              "`EHLO client.example`");
}

TEST_F(tls_stream_test, a_damaged_record_ends_both_directions)
{
    // The last octet of the greeting's record arrives changed: by way of a stream in between.
    test::sim_pair near = test::make_sim_pair(context.get_executor());
    test::sim_pair far = test::make_sim_pair(context.get_executor());
    start_tls(std::move(near.first), make_tls_context(trusting()), "mail.example.org",
              [this](tls_result r) { client.emplace(std::move(r)); });
    start_tls(std::move(far.second), make_tls_context(serving()), {},
              [this](tls_result r) { server.emplace(std::move(r)); });
    const auto carry = [&](stream& from, stream& to, bool damage) {
        std::array<char, 8192> some;
        error_code ec;
        const std::size_t n = from.read_now(asio::buffer(some), ec);
        if (n == 0)
            return false;
        if (damage)
            some[n - 1] = static_cast<char>(some[n - 1] ^ 1);
        const asio::const_buffer all(some.data(), n);
        return to.write_now({&all, 1}, ec) == n;
    };
    const auto carry_all = [&](bool damage) {
        bool more = true;
        while (more) {
            run();
            const bool up = carry(*near.second, *far.first, false);
            more = carry(*far.first, *near.second, damage) || up;
        }
    };
    carry_all(false);
    ASSERT_TRUE(client && client->made && server && server->made);
    speaker one(*client->made, ""), two(*server->made, "220 hello\r\n");
    one.start();
    two.start();
    carry_all(true);
    EXPECT_EQ(one.heard, "");
    EXPECT_EQ(one.read_end, make_error_code(error::tls_failed)) << one.read_end.message();
    const asio::const_buffer word("x", 1);
    error_code ec;
    client->made->write_now({&word, 1}, ec);
    EXPECT_TRUE(ec);
    EXPECT_EQ(two.read_end.message(), "the peer ended TLS: bad record mac: what it received was damaged");
    EXPECT_EQ(std::error_code(two.read_end).default_error_condition(),
              make_error_code(error::tls_failed).default_error_condition());
}

// ---- certificates -------------------------------------------------------------------------

TEST_F(tls_stream_test, certificates_that_pass)
{
    const auto passes = [&](const sim_certificate& what, const std::string& host) {
        return shake(trusting(), serving(what), {}, host);
    };
    EXPECT_TRUE(passes({}, "mail.example.org"));
    EXPECT_TRUE(passes({}, "MAIL.example.ORG."));
    EXPECT_TRUE(passes({.names = {"other.example.org", "mail.example.org"}}, "mail.example.org"));
    EXPECT_TRUE(passes({.names = {"*.example.org"}}, "mail.example.org"));
    EXPECT_TRUE(passes({.names = {"192.0.2.7"}}, "192.0.2.7"));
    EXPECT_TRUE(passes({.names = {"2001:db8::7"}}, "2001:db8::7"));
    EXPECT_TRUE(passes({.names = {"2001:db8::7"}}, "[IPv6:2001:DB8:0::7]"));
    EXPECT_TRUE(passes({.names = {"xn--bcher-kva.example"}}, "b\xc3\xbc"
                                                             "cher.example"));
    EXPECT_TRUE(passes({.by_intermediate = true}, "mail.example.org"));
}

TEST_F(tls_stream_test, names_that_do_not_fit)
{
    EXPECT_EQ(refusal({.names = {"other.example.org"}}),
              "the certificate of mail.example.org is for other.example.org");
    EXPECT_EQ(
        refusal({.names = {"a.example", "b.example", "c.example", "d.example", "e.example", "f.example"}}),
        "the certificate of mail.example.org is for a.example, b.example, c.example, d.example and 2 more");
    EXPECT_EQ(refusal({.names = {"*.example.org"}}, trusting(), "a.mail.example.org"),
              "the certificate of a.mail.example.org is for *.example.org");
    EXPECT_EQ(refusal({.names = {"m*.example.org"}}),
              "the certificate of mail.example.org is for m*.example.org");
    EXPECT_EQ(refusal({.names = {}, .common_name = "mail.example.org"}),
              "the certificate of mail.example.org is for no host (the common name in its subject, "
              "'mail.example.org', does not count)");
    EXPECT_EQ(refusal({.names = {"192.0.2.8", "2001:db8::8"}}, trusting(), "192.0.2.7"),
              "the certificate of 192.0.2.7 is for 192.0.2.8, 2001:db8::8");
    EXPECT_EQ(refusal({}, trusting(), "192.0.2.7"), "the certificate of 192.0.2.7 is for mail.example.org");
    EXPECT_EQ(refusal({}, trusting().name("mx.example.org")),
              "the certificate of mx.example.org is for mail.example.org");
}

TEST_F(tls_stream_test, certificates_out_of_time)
{
    EXPECT_THAT(refusal({.from_day = -9, .to_day = -1}),
                testing::MatchesRegex("the certificate of mail.example.org expired on ....-..-.."));
    EXPECT_THAT(
        refusal({.from_day = 5}),
        testing::MatchesRegex("the certificate of mail.example.org is not valid before ....-..-.. .or the "
                              "clock of this host is wrong."));
}

TEST_F(tls_stream_test, certificates_of_nobody_that_is_trusted)
{
    test::sim_authority other("Other Authority");
    EXPECT_EQ(refusal({.self_signed = true}),
              "the certificate of mail.example.org is signed by nobody that " + authority->file() +
                  " trusts (self-signed): if it is the right one, trust its file");
    EXPECT_EQ(
        refusal({}, tls_client_settings().trust(other.file())),
        "the certificate of mail.example.org is signed by nobody that " + other.file() +
            " trusts (by 'Test Authority'): trust the file of that authority, or have the server send the "
            "certificates in between");
    EXPECT_THAT(refusal({.by_intermediate = true, .with_intermediate = false}),
                HasSubstr("trusts (by 'Test Authority Between'): "));
    EXPECT_THAT(refusal({}, {}),
                StartsWith("the certificate of mail.example.org is signed by nobody that this "
                           "host trusts (by 'Test Authority'): "));
    ASSERT_TRUE(server);
    EXPECT_EQ(server->sentence,
              "first.example ended the TLS handshake: unknown ca (it does not trust who signed "
              "the certificate of this side)");
    EXPECT_EQ(server->error, make_error_code(error::tls_failed));
}

TEST_F(tls_stream_test, a_certificate_can_be_trusted_by_its_own_file)
{
    const auto files = authority->issue({.self_signed = true});
    EXPECT_TRUE(shake(tls_client_settings().trust(files.certificate),
                      tls_server_settings(files.certificate, files.key)));
}

TEST_F(tls_stream_test, without_verification_anything_goes)
{
    EXPECT_TRUE(shake(tls_client_settings().verify(false), serving({.self_signed = true})));
    EXPECT_TRUE(shake(tls_client_settings().verify(false), serving({.to_day = -1}), {}, ""));
}

TEST_F(tls_stream_test, a_host_that_no_certificate_can_be_for)
{
    begin(trusting(), serving(), {}, "");
    run();
    ASSERT_TRUE(client);
    EXPECT_EQ(client->error, make_error_code(error::invalid_argument));
    EXPECT_THAT(client->sentence, StartsWith("a server without a name cannot be verified"));
    begin(trusting(), serving(), {}, "mail..example");
    run();
    EXPECT_THAT(client->sentence, StartsWith("no certificate can be for the name of this server: "));
}

TEST_F(tls_stream_test, names_are_asked_for_and_addresses_are_not)
{
    const auto hello_to = [this](const std::string& host) {
        test::sim_pair pair = test::make_sim_pair(context.get_executor());
        start_tls(std::move(pair.first), make_tls_context(trusting()), host, [](tls_result) {});
        std::string hello(4096, '\0');
        error_code ec;
        hello.resize(pair.second->read_now(asio::buffer(hello), ec));
        pair.second->close();
        run();
        return hello;
    };
    EXPECT_THAT(hello_to("Mail.Example.ORG"), HasSubstr("mail.example.org"));
    const std::string unnamed = hello_to("192.0.2.7");
    EXPECT_GT(unnamed.size(), 100u);
    EXPECT_EQ(unnamed.find("192.0.2.7"), std::string::npos);
}

// ---- the handshake's caller ---------------------------------------------------------------

TEST_F(tls_stream_test, a_handshake_can_be_cancelled)
{
    for (const std::size_t octets : {0u, 1u, 100u, 600u}) {
        test::sim_pair pair = test::make_sim_pair(context.get_executor(), {.cut_down_after = octets});
        asio::cancellation_signal stop;
        int calls = 0;
        tls_result got;
        auto done = [&](tls_result r) {
            ++calls;
            got = std::move(r);
        };
        start_tls(std::move(pair.first), make_tls_context(trusting()), "mail.example.org",
                  asio::bind_cancellation_slot(stop.slot(), done));
        context.restart();
        context.poll();
        stop.emit(asio::cancellation_type::terminal);
        stop.emit(asio::cancellation_type::terminal);
        EXPECT_EQ(calls, 0);
        run();
        EXPECT_EQ(calls, 1);
        if (octets > 0) {
            EXPECT_EQ(got.error, make_error_code(error::cancelled));
        }
        EXPECT_FALSE(got.made);
        speaker peer(*pair.second, "");
        peer.listen();
        run();
        EXPECT_EQ(peer.read_end, asio::error::eof) << "the connection below is closed";
    }
}

} // namespace
} // namespace postrider::net
