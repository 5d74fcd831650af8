// SPDX-License-Identifier: MIT
// smtp/server_session: the conversations of tests/conformance/server, and what a transcript cannot say.

#include "smtp/server_session.hpp"

#include "support/server_player.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace postrider::smtp {
namespace {

namespace ask = server::ask;
namespace told = server::told;
using testing::IsEmpty;
using testing::Not;

std::vector<std::filesystem::path> transcripts()
{
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(POSTRIDER_SOURCE_DIR "/tests/conformance/server"))
        if (entry.path().extension() == ".transcript")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

std::string contents(const std::filesystem::path& file)
{
    std::ostringstream all;
    all << std::ifstream(file, std::ios::binary).rdbuf();
    return all.str();
}

std::string test_name(const testing::TestParamInfo<std::filesystem::path>& info)
{
    std::string name = info.param.stem().string();
    std::replace_if(name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
    return name;
}

class server_conformance : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(server_conformance, goes_as_written)
{
    EXPECT_THAT(test::check_server(contents(GetParam())), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(transcripts, server_conformance, testing::ValuesIn(transcripts()), test_name);

TEST(server_player, complains_of_what_does_not_go_as_written)
{
    const std::string greeting = "S: 220 mx.b.example ESMTP Postrider\n";
    EXPECT_THAT(test::check_server(greeting), IsEmpty());
    EXPECT_THAT(test::check_server("S: 220 somebody else\n"), Not(IsEmpty()));
    EXPECT_THAT(test::check_server(greeting + "C: NOOP\n"), Not(IsEmpty()));
    EXPECT_THAT(test::check_server(greeting + "!: server closes\n"), Not(IsEmpty()));
    EXPECT_THAT(test::check_server(greeting + "= from <> to a@b.example text \"\"\n"), Not(IsEmpty()));
    EXPECT_THROW(test::check_server("X: nothing\n"), std::runtime_error);
}

/// A session that has been greeted, and a driver that answers asks about writing only.
class server_session_alone : public testing::Test {
protected:
    void start(server_options options)
    {
        session.emplace(std::move(options), [this](std::string_view line) { heard.emplace_back(line); });
        go_on(told::connected{});
    }

    /// Tells, and writes until something else is asked.
    void go_on(const server::event& what)
    {
        next.emplace(session->resume(what));
        while (const auto* send = std::get_if<ask::send>(&*next)) {
            largest_write = std::max(largest_write, send->octets.size());
            written += send->octets;
            next.emplace(session->resume(told::sent{}));
        }
    }

    void say(const std::string& octets)
    {
        input = octets;
        go_on(told::received{input});
    }

    void accept() { go_on(told::decision{server::answer{250, {2, 0, 0}, "ok"}}); }

    std::optional<server_session> session;
    std::optional<server::action> next;
    std::string input, written;
    std::size_t largest_write = 0;
    std::vector<std::string> heard;
};

TEST_F(server_session_alone, leaves_input_where_it_is_while_replies_wait)
{
    server_options options;
    options.output_octets_max = 500;
    start(options);
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "NOOP\r\n";
    say(many);
    EXPECT_TRUE(std::holds_alternative<ask::receive>(*next));
    EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 1001);
    EXPECT_LT(largest_write, 520u);
}

TEST_F(server_session_alone, waits_as_long_as_the_options_say)
{
    server_options options;
    options.idle_max = std::chrono::seconds(7);
    start(options);
    EXPECT_EQ(std::get<ask::receive>(*next).wait, std::chrono::seconds(7));
}

TEST_F(server_session_alone, waits_for_a_late_decision_and_runs_nothing_before_it)
{
    start({});
    say("HELO a\r\nMAIL FROM:<ann@a.example>\r\nRCPT TO:<bob@b.example>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n");
    EXPECT_TRUE(std::get<ask::sender>(*next).so_far.to.empty());
    accept();
    EXPECT_EQ(std::get<ask::recipient>(*next).who.mailbox, address("bob@b.example"));
    EXPECT_TRUE(std::get<ask::recipient>(*next).so_far.to.empty());
    accept();
    EXPECT_EQ(std::get<ask::begin>(*next).what.to.size(), 1u);
    accept();
    EXPECT_EQ(std::get<ask::content>(*next).octets, "hello\r\n");
    go_on(told::taken{});
    EXPECT_EQ(std::get<ask::complete>(*next).what.octets, 7u);
    EXPECT_EQ(heard.back(), "DATA");
    accept();
    EXPECT_TRUE(std::holds_alternative<ask::close>(*next));
    EXPECT_EQ(heard.back(), "QUIT");
}

TEST_F(server_session_alone, does_not_read_a_message_that_is_too_large_for_ever)
{
    server_options options;
    options.size_max = 1000;
    start(options);
    say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<bob@b.example>\r\nDATA\r\n");
    for (int decisions = 0; decisions < 3; ++decisions)
        accept();
    const std::string line = std::string(998, 'x') + "\r\n";
    std::size_t said = 0;
    while (std::holds_alternative<ask::receive>(*next) || std::holds_alternative<ask::content>(*next)) {
        ASSERT_LT(said, 2u << 20);
        if (std::holds_alternative<ask::content>(*next)) {
            go_on(told::taken{});
            continue;
        }
        say(line);
        said += line.size();
    }
    EXPECT_EQ(std::get<ask::close>(*next).why, "the message did not end");
    EXPECT_TRUE(written.ends_with("552 5.3.4 the message does not end\r\n"));
}

TEST_F(server_session_alone, cuts_a_reply_to_what_a_line_may_hold)
{
    start({});
    say("HELO a\r\n");
    say("MAIL FROM:<>\r\n");
    written.clear();
    std::string many_lines;
    for (int i = 0; i < 1000; ++i)
        many_lines += "\n";
    go_on(told::decision{server::answer{250, {2, 0, 0}, std::string(2000, 'x') + many_lines}});
    EXPECT_EQ(written.find('\n'), 4u + 6u + 480u + 1u);
    EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 50);
    EXPECT_TRUE(written.ends_with("\r\n250 2.0.0 ok\r\n"));
}

TEST_F(server_session_alone, closes_when_its_replies_are_not_taken)
{
    start({});
    input = "NOOP\r\n";
    const server::action send = session->resume(told::received{input});
    ASSERT_TRUE(std::holds_alternative<ask::send>(send));
    const server::action close = session->resume(told::idle{});
    EXPECT_EQ(std::get<ask::close>(close).why, "the client did not take our replies");
    EXPECT_EQ(session->state(), server_state::closed);
}

} // namespace
} // namespace postrider::smtp
