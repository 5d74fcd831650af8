// SPDX-License-Identifier: MIT
// app/eventually: answers that are there, and answers that come.

#include "postrider/app/eventually.hpp"

#include "net/use.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace postrider::app {
namespace {

template <class T>
T answer_of(eventually<T> what)
{
    boost::asio::io_context context;
    std::optional<T> answer;
    std::exception_ptr failed;
    boost::asio::co_spawn(context, what.get(), [&](std::exception_ptr thrown, T value) {
        failed = thrown;
        answer = std::move(value);
    });
    context.run();
    if (failed)
        std::rethrow_exception(failed);
    return *std::move(answer);
}

boost::asio::awaitable<std::string> later(std::string text)
{
    co_await boost::asio::post(co_await boost::asio::this_coro::executor, net::use);
    co_return text;
}

boost::asio::awaitable<std::string> never()
{
    throw std::runtime_error("nobody answers");
    co_return "";
}

eventually<std::string> here() { return "here"; } // a literal, as callbacks write it
eventually<std::string> there() { return later("there"); }
eventually<std::unique_ptr<int>> moved() { return std::make_unique<int>(17); }

TEST(eventually, is_there_now_or_comes_later)
{
    EXPECT_TRUE(here().ready());
    EXPECT_FALSE(there().ready());
    EXPECT_EQ(answer_of(here()), "here");
    EXPECT_EQ(answer_of(there()), "there");
    EXPECT_THROW(answer_of(eventually<std::string>(never())), std::runtime_error);
    EXPECT_EQ(*answer_of(moved()), 17);
}

TEST(eventually, optional_answers_may_be_nothing)
{
    const auto nothing = []() -> eventually<std::optional<std::string>> { return std::nullopt; };
    EXPECT_TRUE(nothing().ready());
    EXPECT_EQ(answer_of(nothing()), std::nullopt);
}

boost::asio::awaitable<void> note(bool& done)
{
    done = true;
    co_return;
}

TEST(eventually, of_nothing_is_an_end_to_wait_for)
{
    bool done = false;
    eventually<void> now;
    eventually<void> soon = note(done);
    EXPECT_TRUE(now.ready());
    EXPECT_FALSE(soon.ready());
    boost::asio::io_context context;
    int ended = 0;
    const auto count = [&](std::exception_ptr thrown) { ended += thrown ? 100 : 1; };
    boost::asio::co_spawn(context, now.get(), count);
    boost::asio::co_spawn(context, soon.get(), count);
    context.run();
    EXPECT_TRUE(done);
    EXPECT_EQ(ended, 2);
}

} // namespace
} // namespace postrider::app
