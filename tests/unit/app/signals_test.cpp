// SPDX-License-Identifier: MIT
// app/signals_test: signals that this process sends to itself.

#include "app/signals.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

namespace postrider::app {
namespace {

using dispositions = void (*)(int);

dispositions disposition_of(int number)
{
    struct sigaction action{};
    ::sigaction(number, nullptr, &action);
    return action.sa_handler;
}

class signals_test : public testing::Test {
protected:
    signals::reactions reactions()
    {
        signals::reactions all;
        all.stop = [this](std::string_view name) { heard_.push_back("stop " + std::string(name)); };
        all.force = [this](std::string_view name) { heard_.push_back("force " + std::string(name)); };
        all.hangup = [this] { heard_.push_back("hangup"); };
        all.rotate = [this] { heard_.push_back("rotate"); };
        return all;
    }

    /// Sends it, and runs the loop until something came of it.
    void send(int number)
    {
        const std::size_t before = heard_.size();
        ::raise(number);
        while (heard_.size() == before)
            loop_.run_one();
    }

    asio::io_context loop_;
    std::vector<std::string> heard_;
};

TEST_F(signals_test, mean_what_they_should)
{
    const signals all(loop_.get_executor(), reactions());
    for (const int number : {SIGHUP, SIGUSR1, SIGINT, SIGHUP, SIGTERM, SIGINT})
        send(number);
    ::alarm(0); // the second one to stop set it; this process has other tests to run
    EXPECT_EQ(heard_, (std::vector<std::string>{"hangup", "rotate", "stop SIGINT", "hangup", "force SIGTERM",
                                                "force SIGINT"}));
}

TEST_F(signals_test, are_what_they_were_when_it_is_over)
{
    {
        const signals all(loop_.get_executor(), reactions());
        EXPECT_EQ(disposition_of(SIGPIPE), SIG_IGN);
        EXPECT_NE(disposition_of(SIGINT), SIG_DFL);
    }
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE})
        EXPECT_EQ(disposition_of(number), SIG_DFL) << number;
}

TEST_F(signals_test, that_were_ignored_stay_so)
{
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
    {
        const signals all(loop_.get_executor(), reactions());
        ::raise(SIGINT);
        ::raise(SIGHUP);
        send(SIGTERM);
    }
    EXPECT_EQ(heard_, std::vector<std::string>{"stop SIGTERM"});
    EXPECT_EQ(disposition_of(SIGINT), SIG_IGN);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGHUP, SIG_DFL);
}

TEST_F(signals_test, can_be_waited_for_by_the_program_beside)
{
    const signals all(loop_.get_executor(), reactions());
    asio::signal_set own(loop_, SIGINT);
    int heard_by_it = 0;
    own.async_wait([&](error_code, int number) { heard_by_it = number; });
    send(SIGINT);
    while (heard_by_it == 0)
        loop_.run_one();
    EXPECT_EQ(heard_by_it, SIGINT);
    EXPECT_EQ(heard_, std::vector<std::string>{"stop SIGINT"});
}

TEST_F(signals_test, end_a_process_whose_loop_is_stuck)
{
    const auto get_stuck = [this] {
        const signals all(loop_.get_executor(), reactions());
        ::raise(SIGINT);
        ::raise(SIGINT);
        for (;;)
            ::pause();
    };
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(get_stuck(), testing::ExitedWithCode(70), "ending at once");
}

} // namespace
} // namespace postrider::app
