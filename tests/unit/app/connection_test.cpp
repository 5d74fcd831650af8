// SPDX-License-Identifier: MIT
// app/connection: callbacks in their order, whatever they do and whatever the peer does.

#include "app/connection.hpp"

#include "net/complete.hpp"
#include "postrider/error.hpp"
#include "support/sim_script.hpp"
#include "unit/app/noted_protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>

namespace postrider::app {
namespace {

using namespace std::chrono_literals;
using test::noted_protocol;
using test::script_of_protocols;
using test::sim_line;
using test::sim_script;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using steps = std::vector<sim_script::step>;

class noted_factory : public factory {
public:
    explicit noted_factory(script_of_protocols& script) : script_(script) {}
    std::shared_ptr<protocol> build_protocol(const std::string&) override
    {
        return std::make_shared<noted_protocol>(script_);
    }

private:
    script_of_protocols& script_;
};

// A stream that does what it is told to: endless input, writes that fail, writes that are counted.
class odd_stream final : public stream {
public:
    explicit odd_stream(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    bool endless = false;
    std::optional<error_code> write_error;
    std::string input;
    error_code at_end = asio::error::eof;
    std::vector<std::size_t>* writes = nullptr;

    asio::any_io_executor get_executor() override { return executor_; }

    void async_read(asio::mutable_buffer into, handler done) override
    {
        error_code ec;
        const std::size_t n = read_now(into, ec);
        net::complete_later(executor_, std::move(done), ec, n);
    }

    void async_write(std::span<const asio::const_buffer> octets, handler done) override
    {
        error_code ec;
        const std::size_t n = write_now(octets, ec);
        net::complete_later(executor_, std::move(done), ec, n);
    }

    std::size_t read_now(asio::mutable_buffer into, error_code& ec) override
    {
        ec = {};
        if (endless) {
            std::memset(into.data(), 'x', into.size());
            return into.size();
        }
        if (input.empty()) {
            ec = at_end;
            return 0;
        }
        const std::size_t n = std::min(into.size(), input.size());
        std::memcpy(into.data(), input.data(), n);
        input.erase(0, n);
        return n;
    }

    std::size_t write_now(std::span<const asio::const_buffer> octets, error_code& ec) override
    {
        ec = write_error.value_or(error_code());
        const std::size_t n = ec ? 0 : asio::buffer_size(octets);
        if (writes)
            writes->push_back(n);
        return n;
    }

    void cancel() override {}
    void close() noexcept override { endless = false; }
    std::string peer() const override { return "192.0.2.7:25"; }

private:
    asio::any_io_executor executor_;
};

class connection_test : public testing::Test {
protected:
    void begin(std::unique_ptr<stream> over, std::shared_ptr<factory> makes = nullptr)
    {
        if (!makes)
            makes = std::make_shared<noted_factory>(script);
        link = connection::begin(stage.application.loop(), std::move(makes), std::move(over), "client",
                                 [this](const reason& why) {
                                     script.notes.emplace_back("ended");
                                     ended.push_back(why);
                                 });
    }

    void begin(steps what, sim_line line = {})
    {
        server = std::make_shared<sim_script>(std::move(what));
        begin(stage.world->connected(server, line));
    }

    std::unique_ptr<odd_stream> odd() { return std::make_unique<odd_stream>(stage.world->executor()); }

    void expect_over(std::size_t connections = 1)
    {
        stage.run();
        EXPECT_EQ(ended.size(), connections);
        EXPECT_EQ(stage.world->open_connections(), 0u);
        EXPECT_TRUE(script.last.expired()) << "the protocol is still kept";
    }

    test::service_stage stage;
    script_of_protocols script;
    std::shared_ptr<sim_script> server;
    std::shared_ptr<connection> link;
    std::vector<reason> ended;
};

TEST_F(connection_test, calls_in_order)
{
    for (const bool knows_now : {true, false}) {
        SCOPED_TRACE(knows_now);
        script = {};
        ended.clear();
        script.when_made = [](protocol& p) { p.transport().write("hi"); };
        sim_line line;
        line.knows_now = knows_now;
        begin({{"hi", "hello", true}}, line);
        EXPECT_THAT(script.notes, ElementsAre()) << "never inside begin()";
        expect_over();
        EXPECT_THAT(script.notes,
                    ElementsAre("made", "data", "lost: 192.0.2.1:25 closed the connection", "ended"));
        EXPECT_EQ(script.heard, "hello");
        EXPECT_TRUE(ended.front().clean());
        EXPECT_TRUE(server->closed());
    }
}

TEST_F(connection_test, what_is_written_in_one_callback_leaves_in_one_piece)
{
    script.when_made = [](protocol& p) {
        for (const char* piece : {"MAIL", " ", "FROM", ":<>", "\r\n"})
            p.transport().write(piece);
        p.transport().write(std::string(9'000, 'x'));
        p.transport().write("end");
    };
    std::vector<std::size_t> writes;
    auto over = odd();
    over->writes = &writes;
    begin(std::move(over));
    expect_over();
    EXPECT_THAT(writes, ElementsAre(9'017));
}

TEST_F(connection_test, closing_waits_for_what_was_written)
{
    const std::string much(300'000, 'm');
    script.when_made = [&](protocol& p) {
        p.transport().write(much);
        p.transport().lose_connection();
        p.transport().write("too late");
        EXPECT_GT(p.transport().waiting_octets(), 0u);
    };
    sim_line line;
    line.window = 1'000;
    begin({}, line);
    expect_over();
    EXPECT_EQ(server->heard(), much);
    EXPECT_THAT(script.notes, ElementsAre("made", "paused", "lost: the connection was closed", "ended"))
        << "when it closes nobody is told to go on writing";
    EXPECT_TRUE(ended.front().clean());
}

TEST_F(connection_test, nothing_is_delivered_when_it_closes)
{
    script.when_made = [](protocol& p) { p.transport().write(std::string(100'000, 'm')); };
    script.when_data = [](protocol& p) { p.transport().lose_connection(); };
    sim_line line;
    line.window = 1'000;
    line.piece_max = 10;
    begin({{"mm", "first"}, {"mmm", std::string(50'000, 's')}}, line);
    expect_over();
    EXPECT_EQ(server->heard().size(), 100'000u);
    EXPECT_TRUE(std::string("first").starts_with(script.heard)) << script.heard;
}

TEST_F(connection_test, a_peer_that_takes_nothing_does_not_hold_it)
{
    script.when_made = [](protocol& p) {
        p.transport().write(std::string(100'000, 'm'));
        p.transport().lose_connection();
    };
    begin({{"", "", false, true}});
    const auto began = stage.world->elapsed();
    stage.run([&] { return !ended.empty(); });
    EXPECT_EQ(stage.world->elapsed() - began, 30s);
    EXPECT_EQ(ended.at(0).error(), error::timed_out);
    EXPECT_THAT(ended[0].sentence(), StartsWith("192.0.2.1:25 did not take the last "));
    expect_over();
}

TEST_F(connection_test, nor_one_that_takes_ever_so_little)
{
    script.when_made = [](protocol& p) {
        p.transport().write(std::string(100'000, 'm'));
        p.transport().lose_connection();
    };
    sim_line line;
    line.window = 1;
    line.delay = 10s;
    begin({}, line);
    stage.run([&] { return !ended.empty(); });
    EXPECT_EQ(stage.world->elapsed(), 10min);
    EXPECT_EQ(ended.at(0).error(), error::timed_out);
    EXPECT_GT(server->heard().size(), 10u);
    expect_over();
}

TEST_F(connection_test, whom_the_peer_says_good_bye_to_it_still_answers)
{
    script.when_data = [](protocol& p) { p.transport().write(std::string(200'000, 'm')); };
    sim_line line;
    line.window = 1'000;
    line.cut_down_after = 1;
    line.how = sim_line::cut::half_close;
    begin({{"", "?"}}, line);
    expect_over();
    EXPECT_EQ(server->heard().size(), 200'000u);
    EXPECT_TRUE(ended.front().clean()) << ended.front().sentence();
}

TEST_F(connection_test, last_words_are_heard_when_writing_fails)
{
    script.when_made = [](protocol& p) { p.transport().write("MAIL FROM:<>\r\n"); };
    auto over = odd();
    over->write_error = asio::error::broken_pipe;
    over->input = "554 5.7.1 no\r\n";
    begin(std::move(over));
    expect_over();
    EXPECT_EQ(script.heard, "554 5.7.1 no\r\n");
    EXPECT_EQ(ended.front().error(), error::connection_lost);
    EXPECT_THAT(ended.front().sentence(), StartsWith("lost the connection with 192.0.2.7:25: "));
}

TEST_F(connection_test, lost_at_any_octet_says_so)
{
    const std::string said = "220 mx.b.example\r\n250 fine\r\n";
    for (std::uint64_t n = 0; n < said.size(); ++n) {
        SCOPED_TRACE(n);
        script = {};
        ended.clear();
        sim_line line;
        line.cut_down_after = n;
        begin({{"", said}}, line);
        if (n == 0) { // nothing ever reaches this side
            stage.run();
            link->cut(reason());
        }
        expect_over();
        EXPECT_EQ(script.heard, said.substr(0, n));
        if (n > 0) {
            EXPECT_EQ(ended.front().error(), error::connection_lost);
        }
        EXPECT_EQ(script.reasons.size(), 1u);
    }
}

// ---- reading less --------------------------------------------------------------------------------

TEST_F(connection_test, paused_reading_delivers_nothing)
{
    script.when_made = [](protocol& p) { p.transport().pause_reading(); };
    begin({{"", std::string(100'000, 's')}});
    stage.run();
    EXPECT_EQ(script.heard, "");
    auto& t = script.last.lock()->transport();
    script.when_data = [](protocol& p) { p.transport().pause_reading(); };
    std::size_t before = 0;
    for (int i = 0; i < 3; ++i) {
        t.resume_reading();
        t.resume_reading();
        EXPECT_EQ(script.heard.size(), before) << "never inside the call";
        stage.run();
        EXPECT_GT(script.heard.size(), before);
        EXPECT_LE(script.heard.size(), before + 16 * 1024) << "one read, and no more";
        before = script.heard.size();
    }
    script.when_data = {};
    t.resume_reading();
    stage.run();
    EXPECT_EQ(script.heard, std::string(100'000, 's'));
    link->cut(reason());
    expect_over();
}

TEST_F(connection_test, what_was_on_its_way_is_kept_for_later)
{
    begin({{"", "one"}});
    stage.world->settle();
    const auto p = script.last.lock();
    p->transport().pause_reading(); // while a read is under way
    stage.run();
    EXPECT_EQ(script.heard, "");
    p->transport().resume_reading();
    p->transport().pause_reading();
    stage.run();
    EXPECT_EQ(script.heard, "");
    p->transport().resume_reading();
    stage.run();
    EXPECT_EQ(script.heard, "one");
    link->cut(reason());
    stage.run();
}

TEST_F(connection_test, a_busy_peer_leaves_others_their_turn)
{
    int turns = 0;
    std::function<void()> turn = [&] {
        ++turns;
        if (!link->protocol())
            return;
        stage.application.loop().call_soon(turn);
    };
    std::size_t reads = 0;
    script.when_data = [&](protocol& p) {
        if (++reads == 1'000)
            p.transport().abort_connection();
    };
    auto over = odd();
    over->endless = true;
    begin(std::move(over));
    stage.application.loop().call_soon(turn);
    expect_over();
    EXPECT_GT(turns, 100);
}

// ---- writing more than the peer takes -------------------------------------------------------------

TEST_F(connection_test, marks_are_told)
{
    script.when_made = [](protocol& p) {
        p.transport().set_write_limits(10'000, 5'000);
        p.transport().write(std::string(30'000, 'm'));
    };
    std::size_t at_pause = 0, at_resume = 0;
    script.when_paused = [&](protocol& p) { at_pause = p.transport().waiting_octets(); };
    script.when_resumed = [&](protocol& p) {
        at_resume = p.transport().waiting_octets();
        p.transport().lose_connection();
    };
    sim_line line;
    line.window = 1'000;
    begin({}, line);
    expect_over();
    EXPECT_THAT(script.notes,
                ElementsAre("made", "paused", "resumed", "lost: the connection was closed", "ended"));
    EXPECT_LT(at_pause, 30'000u) << "what could leave has left before";
    EXPECT_LE(at_resume, 5'000u);
    EXPECT_GT(at_resume, 4'000u);
    EXPECT_EQ(server->heard().size(), 30'000u);
}

TEST_F(connection_test, who_writes_on_regardless_loses_it)
{
    std::size_t wrote = 0;
    script.when_made = [&](protocol& p) {
        for (; wrote < 10'000'000 && link->waiting_octets() == wrote; wrote += 1'000)
            p.transport().write(std::string(1'000, 'm'));
        for (int i = 0; i < 10'000; ++i)
            p.transport().write(std::string(1'000, 'm'));
        EXPECT_LE(p.transport().waiting_octets(), 17u * 64 * 1024);
    };
    begin({{"", "", false, true}});
    expect_over();
    EXPECT_THAT(script.notes,
                ElementsAre("made", "paused", HasSubstr("takes less than is written"), "ended"));
    EXPECT_EQ(ended.front().error(), std::errc::no_buffer_space);
}

TEST_F(connection_test, one_write_may_be_of_any_size)
{
    script.when_made = [](protocol& p) {
        p.transport().write(std::string(20'000'000, 'm'));
        p.transport().lose_connection();
    };
    begin(steps());
    expect_over();
    EXPECT_EQ(server->heard().size(), 20'000'000u);
    EXPECT_TRUE(ended.front().clean());
}

TEST_F(connection_test, marks_make_sense)
{
    script.when_made = [](protocol& p) {
        EXPECT_THROW(p.transport().set_write_limits(0, 0), std::invalid_argument);
        EXPECT_THROW(p.transport().set_write_limits(10, 11), std::invalid_argument);
        p.transport().lose_connection();
    };
    begin(steps());
    expect_over();
}

// ---- callbacks that fail, and that end it ----------------------------------------------------------

using step_of = script_of_protocols::step script_of_protocols::*;
struct callback_case {
    const char* name;
    step_of where;
};
const callback_case callback_cases[] = {
    {"connection_made", &script_of_protocols::when_made},
    {"data_received", &script_of_protocols::when_data},
    {"writing_paused", &script_of_protocols::when_paused},
    {"writing_resumed", &script_of_protocols::when_resumed},
    {"stop_requested", &script_of_protocols::when_stopped},
    {"connection_lost", &script_of_protocols::when_lost},
};

class each_callback : public connection_test, public testing::WithParamInterface<callback_case> {
protected:
    // A conversation in which each callback comes, but for what `act` does in one of them.
    void run_with(script_of_protocols::step act)
    {
        script.when_made = [](protocol& p) {
            p.transport().set_write_limits(2'000, 1'000);
            p.transport().write(std::string(9'000, 'm'));
        };
        script.when_resumed = [this](protocol&) { link->request_stop(); };
        auto before = script.*GetParam().where;
        script.*GetParam().where = [this, act, before](protocol& p) {
            if (before)
                before(p);
            if (std::exchange(acted, true))
                return;
            at = script.notes.size();
            act(p);
        };
        sim_line line;
        line.window = 1'000;
        line.piece_max = 100;
        begin({{"m", "hello"}, {"mm", "world"}}, line);
        expect_over();
        ASSERT_TRUE(acted);
        EXPECT_EQ(script.reasons.size(), 1u);
        EXPECT_EQ(script.notes.back(), "ended");
    }

    bool acted = false;
    std::size_t at = 0;
};

TEST_P(each_callback, may_throw)
{
    // A text of its own: what fails alike too often in one second is left out of the log.
    const std::string text = std::string("no such row in ") + GetParam().name;
    run_with([&text](protocol&) { throw std::runtime_error(text); });
    EXPECT_THAT(stage.log, ElementsAre("[noted,client] unhandled exception: std::runtime_error: " + text));
    EXPECT_EQ(stage.application.loop().exit_status(), 70);
    if (GetParam().where == &script_of_protocols::when_lost)
        return; // it was over already, for another reason
    ASSERT_TRUE(ended.front().thrown());
    EXPECT_THROW(std::rethrow_exception(ended.front().thrown()), std::runtime_error);
    EXPECT_THAT(script.notes.at(at), StartsWith("lost: ")) << "no callback between the exception and the end";
}

TEST_P(each_callback, may_abort)
{
    run_with([](protocol& p) {
        p.transport().abort_connection();
        p.transport().abort_connection();
        p.transport().write("after the end");
        p.transport().lose_connection();
    });
    EXPECT_THAT(script.notes.at(at), testing::AnyOf(StartsWith("lost: "), "ended"));
    if (GetParam().where != &script_of_protocols::when_lost) {
        EXPECT_EQ(ended.front().error(), error::cancelled);
    }
}

TEST_P(each_callback, may_close)
{
    run_with([](protocol& p) {
        p.transport().write("good bye");
        p.transport().lose_connection();
        p.transport().lose_connection();
    });
    EXPECT_THAT(script.notes.at(at), testing::AnyOf(StartsWith("lost: "), "ended"));
    EXPECT_TRUE(ended.front().clean()) << ended.front().sentence();
    if (GetParam().where != &script_of_protocols::when_lost) {
        EXPECT_THAT(server->heard(), EndsWith("good bye"));
    }
}

TEST_P(each_callback, may_write_and_pause)
{
    run_with([](protocol& p) {
        p.transport().write("more");
        p.transport().pause_reading();
        p.transport().resume_reading();
    });
    EXPECT_TRUE(ended.front().clean()) << ended.front().sentence();
    if (GetParam().where != &script_of_protocols::when_lost) {
        EXPECT_THAT(server->heard(), HasSubstr("more"));
    }
}

TEST_P(each_callback, may_be_where_it_is_cut)
{
    run_with([this](protocol&) { link->cut(reason(make_error_code(error::cancelled), "enough")); });
    EXPECT_THAT(script.notes.at(at), testing::AnyOf(StartsWith("lost: "), "ended"));
}

TEST_P(each_callback, may_be_where_the_owner_lets_go)
{
    run_with([this](protocol& p) {
        p.transport().abort_connection();
        link.reset();
    });
}

INSTANTIATE_TEST_SUITE_P(connection, each_callback, testing::ValuesIn(callback_cases),
                         [](const auto& i) { return i.param.name; });

TEST_F(connection_test, a_factory_that_throws_ends_it)
{
    begin(stage.world->connected(std::make_shared<sim_script>(steps())), std::make_shared<factory>());
    EXPECT_TRUE(ended.empty()) << "never inside begin()";
    expect_over();
    EXPECT_THAT(stage.log,
                ElementsAre("[factory,client] unhandled exception: std::logic_error: factory has no "
                            "protocol: call set_protocol<...>() or override build_protocol()"));
    EXPECT_TRUE(ended.front().thrown());
}

TEST_F(connection_test, a_factory_may_refuse)
{
    class refusing final : public factory {
        std::shared_ptr<protocol> build_protocol(const std::string&) override { return nullptr; }
    };
    begin(stage.world->connected(std::make_shared<sim_script>(steps())), std::make_shared<refusing>());
    expect_over();
    EXPECT_TRUE(ended.front().clean());
    EXPECT_EQ(ended.front().sentence(), "the factory did not want a connection with 192.0.2.1:25");
    EXPECT_THAT(stage.log, ElementsAre());
}

TEST_F(connection_test, a_protocol_has_one_connection)
{
    class same final : public factory {
    public:
        explicit same(script_of_protocols& s) : one_(std::make_shared<noted_protocol>(s)) {}
        std::shared_ptr<protocol> build_protocol(const std::string&) override { return one_; }
        std::string log_prefix() const override { return "same"; }
        std::shared_ptr<protocol> one_;
    };
    const auto makes = std::make_shared<same>(script);
    begin(stage.world->connected(std::make_shared<sim_script>(steps())), makes);
    const auto first = link;
    begin(stage.world->connected(std::make_shared<sim_script>(steps())), makes);
    stage.run();
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_THAT(stage.log,
                ElementsAre(StartsWith("[same,client] unhandled exception: std::logic_error: "
                                       "build_protocol() returned a protocol that has a connection")));
    EXPECT_THAT(script.notes, ElementsAre("made", "ended")) << "the first one goes on";
    first->cut(reason());
    stage.run();
    EXPECT_EQ(ended.size(), 2u);
    EXPECT_THROW(makes->one_->transport(), std::logic_error);
}

TEST_F(connection_test, cut_before_it_was_made_calls_nothing)
{
    begin(steps());
    link->request_stop();
    link->cut(reason(make_error_code(error::cancelled), "not now"));
    expect_over();
    EXPECT_THAT(script.notes, ElementsAre("ended"));
    EXPECT_EQ(ended.front().sentence(), "not now");
}

TEST_F(connection_test, asked_to_stop_it_closes)
{
    begin(steps());
    link->request_stop();
    link->request_stop();
    expect_over();
    EXPECT_THAT(script.notes, ElementsAre("made", "stop", "lost: the connection was closed", "ended"));
}

TEST_F(connection_test, outside_of_a_connection_there_is_none)
{
    noted_protocol p(script);
    EXPECT_THROW(p.transport(), std::logic_error);
    EXPECT_THROW(p.loop(), std::logic_error);
    EXPECT_THROW(p.factory(), std::logic_error);
    EXPECT_EQ(p.log().prefix(), "noted");
    script.when_made = [this](protocol& q) {
        EXPECT_EQ(q.log().prefix(), "noted,client");
        EXPECT_EQ(&q.loop(), &stage.application.loop());
        EXPECT_EQ(q.transport().peer(), "192.0.2.1:25");
        EXPECT_NE(dynamic_cast<noted_factory*>(&q.factory()), nullptr);
        q.transport().lose_connection();
    };
    begin(steps());
    expect_over();
}

// ---- protocols that drive the stream themselves -----------------------------------------------------

TEST_F(connection_test, a_stream_that_was_taken_is_the_protocols)
{
    std::unique_ptr<stream> mine;
    script.when_made = [&](protocol& p) {
        mine = p.transport().take_stream();
        EXPECT_THROW((void)p.transport().take_stream(), std::logic_error);
        EXPECT_THROW(p.transport().write("x"), std::logic_error);
    };
    begin({{"", "220 hello\r\n"}});
    stage.run();
    EXPECT_THAT(script.notes, ElementsAre("made")) << "no data_received()";
    ASSERT_TRUE(mine);
    std::array<char, 64> octets{};
    error_code ec;
    std::string said;
    while (const std::size_t n = mine->read_now(asio::buffer(octets), ec))
        said.append(octets.data(), n);
    EXPECT_EQ(said, "220 hello\r\n");
    EXPECT_EQ(mine->peer(), "192.0.2.1:25");
    EXPECT_EQ(mine->local_literal(), "[192.0.2.99]");
    mine.reset();
    EXPECT_EQ(stage.world->open_connections(), 0u) << "who lets go of it closes it";
    script.last.lock()->transport().released(make_error_code(error::protocol_broken), "nonsense");
    expect_over();
    EXPECT_EQ(ended.front().error(), error::protocol_broken);
    EXPECT_THAT(script.notes, ElementsAre("made", "lost: nonsense", "ended"));
}

TEST_F(connection_test, a_stream_that_was_taken_can_be_cut)
{
    std::unique_ptr<stream> mine;
    script.when_made = [&](protocol& p) { mine = p.transport().take_stream(); };
    begin(steps());
    stage.run();
    error_code got;
    std::array<char, 64> octets{};
    mine->async_read(asio::buffer(octets), [&](error_code ec, std::size_t) { got = ec; });
    link->cut(reason(make_error_code(error::cancelled), "too slow"));
    stage.run();
    EXPECT_EQ(got, asio::error::operation_aborted);
    EXPECT_THAT(script.notes, ElementsAre("made", "lost: too slow", "ended"));
    EXPECT_EQ(stage.world->open_connections(), 0u);
}

TEST_F(connection_test, a_stream_that_was_taken_and_disconnected_is_asked)
{
    std::unique_ptr<stream> mine;
    script.stops_at_once = false;
    script.when_made = [&](protocol& p) { mine = p.transport().take_stream(); };
    begin(steps());
    stage.run();
    link->disconnect();
    stage.run();
    EXPECT_THAT(script.notes, ElementsAre("made", "stop"));
    script.last.lock()->transport().lose_connection();
    expect_over();
}

TEST_F(connection_test, a_stream_can_be_taken_at_the_beginning_only)
{
    script.when_made = [](protocol& p) {
        EXPECT_THROW(p.transport().released({}, ""), std::logic_error);
        p.transport().write("EHLO");
        EXPECT_THROW((void)p.transport().take_stream(), std::logic_error);
    };
    script.when_data = [](protocol& p) {
        EXPECT_THROW((void)p.transport().take_stream(), std::logic_error);
        p.transport().lose_connection();
    };
    begin({{"EHLO", "250 fine"}});
    expect_over();
    EXPECT_THAT(script.notes, ElementsAre("made", "data", "lost: the connection was closed", "ended"));
}

TEST_F(connection_test, a_protocol_that_throws_after_taking_the_stream_loses_it)
{
    std::unique_ptr<stream> mine;
    script.when_made = [&](protocol& p) {
        mine = p.transport().take_stream();
        throw std::runtime_error("no such row");
    };
    begin(steps());
    expect_over();
    EXPECT_TRUE(ended.front().thrown());
}

TEST_F(connection_test, who_lets_go_of_all_leaves_nothing)
{
    std::shared_ptr<protocol> kept;
    script.when_made = [&](protocol& p) {
        kept = p.shared_from_this();
        p.transport().pause_reading();
    };
    begin(steps());
    stage.run();
    link.reset(); // nothing is under way that would keep it
    EXPECT_EQ(stage.world->open_connections(), 0u);
    EXPECT_THROW(kept->transport(), std::logic_error);
}

} // namespace
} // namespace postrider::app
