// SPDX-License-Identifier: MIT
// unit/app/line_receiver: lines out of pieces, over a connection whose other end is the test.

#include "postrider/app/line_receiver.hpp"

#include "app/connection.hpp"
#include "support/fed_stream.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <vector>

namespace postrider::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Notes what comes: "=line", "~raw", "!too long".
class noting : public line_receiver {
public:
    noting(std::vector<std::string>& notes, std::string delimiter, std::size_t most)
        : line_receiver(std::move(delimiter), most), notes_(notes)
    {
    }

    void line_received(std::string_view line) override
    {
        notes_.push_back("=" + std::string(line));
        if (on_line)
            on_line(line);
    }
    void raw_data_received(std::string_view octets) override
    {
        notes_.push_back("~" + std::string(octets));
        if (on_raw)
            on_raw(octets);
    }
    void line_too_long(std::size_t octets) override
    {
        if (!forgiving)
            return line_receiver::line_too_long(octets);
        notes_.push_back("!");
        if (on_too_long)
            on_too_long();
    }
    void connection_lost(const reason& why) override { notes_.push_back("lost: " + why.sentence()); }

    std::function<void(std::string_view)> on_line, on_raw;
    std::function<void()> on_too_long;
    bool forgiving = false;

private:
    std::vector<std::string>& notes_;
};

class given final : public factory {
public:
    explicit given(std::shared_ptr<app::protocol> one) : one_(std::move(one)) {}
    std::shared_ptr<app::protocol> build_protocol(const std::string&) override { return one_; }

private:
    std::shared_ptr<app::protocol> one_;
};

class line_receiver_test : public testing::Test {
protected:
    line_receiver_test()
    {
        set_log_observer([this](const log_line& line) { log.emplace_back(line.text); });
        begin();
    }
    ~line_receiver_test() override
    {
        link->cut(reason());
        settle();
        set_log_observer({});
    }

    void begin(std::string delimiter = "\r\n", std::size_t most = 16)
    {
        if (link)
            link->cut(reason());
        settle();
        notes.clear();
        lines = std::make_shared<noting>(notes, std::move(delimiter), most);
        other = std::make_shared<test::feeder>(context.get_executor());
        link = connection::begin(loop, std::make_shared<given>(lines),
                                 std::make_unique<test::fed_stream>(other), "server,1", {});
        settle();
    }

    void settle()
    {
        context.restart();
        context.poll();
    }

    void say(std::string_view piece)
    {
        other->say(piece);
        settle();
    }

    std::vector<std::string> notes, log;
    asio::io_context context;
    app::loop loop{context.get_executor()};
    std::shared_ptr<noting> lines;
    std::shared_ptr<test::feeder> other;
    std::shared_ptr<connection> link;
};

TEST_F(line_receiver_test, lines_are_the_same_in_pieces_of_any_size)
{
    const std::string_view text = "one\r\n\r\ntwo\rthree\n\r\n\r\r\nfour\r\nrest";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        begin();
        for (std::size_t at = 0; at < text.size(); at += size)
            say(text.substr(at, size));
        EXPECT_THAT(notes, ElementsAre("=one", "=", "=two\rthree\n", "=\r", "=four")) << size;
    }
}

TEST_F(line_receiver_test, a_delimiter_that_begins_like_itself)
{
    for (const std::size_t size : {1u, 2u, 3u, 100u}) {
        begin("aab");
        const std::string_view text = "xaaabyaab";
        for (std::size_t at = 0; at < text.size(); at += size)
            say(text.substr(at, size));
        EXPECT_THAT(notes, ElementsAre("=xa", "=y")) << size;
    }
}

TEST_F(line_receiver_test, an_empty_delimiter_is_refused)
{
    EXPECT_THROW(noting(notes, "", 16), std::invalid_argument);
}

TEST_F(line_receiver_test, sends_lines)
{
    lines->on_line = [&](std::string_view line) { lines->send_line("you said " + std::string(line)); };
    say("hello\r\n");
    EXPECT_EQ(other->heard, "you said hello\r\n");
    EXPECT_THROW(lines->send_line("one\r\ntwo"), std::invalid_argument);
}

// ---- raw mode -------------------------------------------------------------------------------

TEST_F(line_receiver_test, raw_mode_begins_with_the_next_octet)
{
    lines->on_line = [&](std::string_view line) {
        if (line == "data")
            lines->set_raw_mode();
    };
    say("one\r\ndata\r\nof any\r\nkind");
    say(", and more");
    EXPECT_THAT(notes, ElementsAre("=one", "=data", "~of any\r\nkind", "~, and more"));
}

TEST_F(line_receiver_test, what_was_too_much_is_read_as_lines_first)
{
    lines->on_line = [&](std::string_view line) {
        if (line == "data")
            lines->set_raw_mode();
    };
    lines->on_raw = [&](std::string_view octets) { lines->set_line_mode(octets.substr(3)); };
    say("data\r\nrawone\r\nt");
    EXPECT_THAT(notes, ElementsAre("=data", "~rawone\r\nt", "=one"));
    say("wo\r\n");
    EXPECT_EQ(notes.back(), "=two");
}

TEST_F(line_receiver_test, extra_comes_before_what_is_held_and_leaves_the_line_at_hand_alone)
{
    lines->on_line = [&](std::string_view line) {
        if (line != "one")
            return;
        lines->set_line_mode(std::string(8'000, 'x').replace(4, 2, "\r\n").substr(0, 7));
        EXPECT_EQ(line, "one");
    };
    say("one\r\ntwo\r\n");
    EXPECT_THAT(notes, ElementsAre("=one", "=xxxx", "=xtwo"));
}

TEST_F(line_receiver_test, extra_from_outside_of_a_callback_is_a_callback_s)
{
    lines->on_line = [&](std::string_view line) {
        if (line == "bad")
            throw std::runtime_error("not that");
    };
    lines->set_raw_mode();
    say("raw");
    lines->set_line_mode("good\r\nbad\r\n");
    EXPECT_THAT(notes, ElementsAre("~raw"));
    settle();
    EXPECT_THAT(notes, ElementsAre("~raw", "=good", "=bad", HasSubstr("not that")));
}

TEST_F(line_receiver_test, raw_mode_without_a_taker_is_a_mistake_that_is_told)
{
    class forgetful final : public line_receiver {
    public:
        void line_received(std::string_view) override { set_raw_mode(); }
    };
    auto far = std::make_shared<test::feeder>(context.get_executor());
    std::string why;
    const auto ended = [&](const reason& r) { why = r.sentence(); };
    const auto kept = connection::begin(loop, std::make_shared<given>(std::make_shared<forgetful>()),
                                        std::make_unique<test::fed_stream>(far), "server,2", ended);
    far->say("data\r\nraw");
    settle();
    EXPECT_THAT(why, HasSubstr("raw_data_received() must be overridden"));
}

// ---- long lines -----------------------------------------------------------------------------

TEST_F(line_receiver_test, the_longest_line_is_a_line_in_any_pieces)
{
    const std::string text = std::string(16, 'x') + "\r\n" + std::string(17, 'y') + "\r\nok\r\n";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        begin();
        lines->forgiving = true;
        for (std::size_t at = 0; at < text.size(); at += size)
            say(std::string_view(text).substr(at, size));
        EXPECT_THAT(notes, ElementsAre("=" + std::string(16, 'x'), "!", "=ok")) << size;
    }
}

TEST_F(line_receiver_test, a_line_without_end_closes_the_connection_and_is_logged)
{
    say("ok\r\n" + std::string(100, 'x'));
    EXPECT_THAT(notes, ElementsAre("=ok", "lost: the connection was closed"));
    EXPECT_TRUE(other->closed);
    EXPECT_THAT(log, ElementsAre("192.0.2.1:2525 sent a line of more than 16 octets (100 so far): the "
                                 "connection is closed"));
}

TEST_F(line_receiver_test, a_line_that_is_skipped_is_told_once)
{
    lines->forgiving = true;
    for (int i = 0; i < 50; ++i)
        say("xxxxxxxxxx");
    say("\r\nafter\r\n");
    EXPECT_THAT(notes, ElementsAre("!", "=after"));
}

TEST_F(line_receiver_test, raw_mode_ends_the_skipping)
{
    lines->forgiving = true;
    lines->on_too_long = [&] { lines->set_raw_mode(); };
    lines->on_raw = [&](std::string_view) { lines->set_line_mode("a line\r\n"); };
    say(std::string(18, 'x'));
    say("raw");
    EXPECT_EQ(notes.back(), "=a line");
}

// Half a delimiter everywhere, an octet at a time: were each search to begin with the first octet, this
// would take hours.
TEST_F(line_receiver_test, each_octet_of_a_long_line_is_searched_once)
{
    constexpr std::size_t octets = 1'000'000;
    begin("\r\n", octets);
    for (std::size_t sent = 0; sent < octets; ++sent)
        lines->data_received("\r");
    say("\r\n");
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].size(), octets + 1);
}

// ---- the wish to stop -----------------------------------------------------------------------

TEST_F(line_receiver_test, pausing_holds_back_the_lines_that_have_come_already)
{
    lines->on_line = [&](std::string_view) { lines->transport().pause_reading(); };
    say("one\r\ntwo\r\nthr");
    say("ee\r\n");
    EXPECT_THAT(notes, ElementsAre("=one"));
    lines->transport().resume_reading();
    settle();
    EXPECT_THAT(notes, ElementsAre("=one", "=two"));
    lines->transport().resume_reading();
    settle();
    EXPECT_THAT(notes, ElementsAre("=one", "=two", "=three"));
}

TEST_F(line_receiver_test, pausing_and_resuming_in_one_call_changes_nothing)
{
    lines->on_line = [&](std::string_view) {
        lines->transport().pause_reading();
        lines->transport().resume_reading();
    };
    say("one\r\ntwo\r\nthree\r\n");
    EXPECT_THAT(notes, ElementsAre("=one", "=two", "=three"));
}

TEST_F(line_receiver_test, lines_of_before_the_end_come_before_the_end)
{
    lines->on_line = [&](std::string_view) { lines->transport().pause_reading(); };
    say("one\r\ntwo\r\n");
    other->close();
    settle();
    EXPECT_THAT(notes, ElementsAre("=one"));
    lines->transport().resume_reading();
    settle();
    EXPECT_THAT(notes, ElementsAre("=one", "=two"));
    lines->transport().resume_reading();
    settle();
    EXPECT_THAT(notes, ElementsAre("=one", "=two", "lost: 192.0.2.1:2525 closed the connection"));
}

TEST_F(line_receiver_test, the_end_waits_for_lines_when_it_came_while_a_read_was_under_way)
{
    say("one");
    lines->transport().pause_reading(); // the connection reads already
    other->close();
    settle();
    EXPECT_TRUE(notes.empty());
    lines->set_line_mode("two\r\n");
    lines->transport().resume_reading();
    settle();
    EXPECT_THAT(notes, ElementsAre("=two", "lost: 192.0.2.1:2525 closed the connection"));
}

TEST_F(line_receiver_test, no_line_comes_after_the_connection_was_told_to_close)
{
    lines->on_line = [&](std::string_view) { lines->transport().lose_connection(); };
    say("one\r\ntwo\r\n");
    EXPECT_THAT(notes, ElementsAre("=one", "lost: the connection was closed"));
}

TEST_F(line_receiver_test, an_exception_drops_the_connection_and_the_lines_behind)
{
    lines->on_line = [&](std::string_view) { throw std::runtime_error("not that"); };
    say("one\r\ntwo\r\n");
    EXPECT_THAT(notes, ElementsAre("=one", HasSubstr("not that")));
}

TEST_F(line_receiver_test, feeding_it_from_its_own_callback_is_a_mistake_that_is_told)
{
    lines->on_line = [&](std::string_view) { lines->data_received("two\r\n"); };
    say("one\r\n");
    EXPECT_THAT(notes, ElementsAre("=one", HasSubstr("set_line_mode()")));
}

} // namespace
} // namespace postrider::app
