// SPDX-License-Identifier: MIT
// app/reason: ends in peace, errors and exceptions, in words.

#include "postrider/app/reason.hpp"

#include "postrider/error.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <new>
#include <stdexcept>

namespace postrider::app {
namespace {

template <class Thrown>
std::exception_ptr thrown(Thrown what)
{
    return std::make_exception_ptr(std::move(what));
}

struct not_an_exception {};

TEST(reason, is_peace_by_default)
{
    const reason none;
    EXPECT_TRUE(none.clean());
    EXPECT_EQ(none.sentence(), "the connection was closed");
    EXPECT_TRUE(reason(nullptr).clean());
}

TEST(reason, is_an_error_with_its_sentence)
{
    const reason lost(error::connection_lost, "mx.example.org went away");
    EXPECT_FALSE(lost.clean());
    EXPECT_EQ(lost.error(), error::connection_lost);
    EXPECT_EQ(lost.sentence(), "mx.example.org went away");
    EXPECT_FALSE(lost.thrown());
}

TEST(reason, is_the_exception_itself)
{
    const auto what = thrown(std::runtime_error("no such row"));
    const reason broken(what);
    EXPECT_FALSE(broken.clean());
    EXPECT_EQ(broken.thrown(), what);
    EXPECT_FALSE(broken.error());
    EXPECT_EQ(broken.sentence(), "a callback threw std::runtime_error: no such row");
}

TEST(reason, has_the_code_of_an_exception_that_has_one)
{
    EXPECT_EQ(reason(thrown(std::system_error(make_error_code(error::timed_out)))).error(), error::timed_out);
    const boost::system::error_code reset = boost::asio::error::connection_reset;
    EXPECT_EQ(reason(thrown(boost::system::system_error(reset))).error(), std::errc::connection_reset);
    EXPECT_FALSE(reason(thrown(std::system_error(std::error_code()))).clean()) << "thrown all the same";
}

TEST(description_of, names_the_type_and_what_it_says)
{
    EXPECT_EQ(description_of(thrown(std::runtime_error("no such row"))), "std::runtime_error: no such row");
    EXPECT_EQ(description_of(thrown(std::bad_alloc())), "std::bad_alloc") << "it says no more than its name";
    EXPECT_EQ(description_of(thrown(17)), "int");
    EXPECT_EQ(description_of(thrown(not_an_exception())),
              "postrider::app::(anonymous namespace)::not_an_exception");
    EXPECT_EQ(description_of(nullptr), "nothing");
}

TEST(description_of, looks_through_wrappers)
{
    std::exception_ptr wrapped;
    try {
        boost::throw_exception(std::out_of_range("17"));
    } catch (...) {
        wrapped = std::current_exception();
    }
    EXPECT_EQ(description_of(wrapped), "std::out_of_range: 17");
    EXPECT_TRUE(description_of(thrown(std::filesystem::filesystem_error("cannot", std::error_code())))
                    .starts_with("std::filesystem::filesystem_error: "));
}

// Throws the innermost, and around it as many more as are asked for.
void throw_nested(int more)
{
    if (more == 0)
        throw std::logic_error("0");
    try {
        throw_nested(more - 1);
    } catch (...) {
        std::throw_with_nested(std::runtime_error(std::to_string(more)));
    }
}

std::string description_of_nested(int more)
{
    try {
        throw_nested(more);
    } catch (...) {
        return description_of(std::current_exception());
    }
    return "";
}

TEST(description_of, says_what_it_was_caused_by)
{
    EXPECT_EQ(description_of_nested(2),
              "std::runtime_error: 2; caused by std::runtime_error: 1; caused by std::logic_error: 0");
    EXPECT_TRUE(description_of_nested(100).ends_with("; caused by std::runtime_error: 93"))
        << "it has an end";
}

} // namespace
} // namespace postrider::app
