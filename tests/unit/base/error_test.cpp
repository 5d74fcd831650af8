// SPDX-License-Identifier: MIT
// unit/base/error: every way to break has words of its own.
#include "postrider/error.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace postrider {
namespace {

TEST(error, each_has_its_own_words)
{
    std::set<std::string> all;
    const int last = static_cast<int>(error::tls_truncated);
    for (int value = 1; value <= last; ++value) {
        const std::string words = error_category().message(value);
        EXPECT_EQ(words.find("unknown"), std::string::npos) << value;
        EXPECT_TRUE(all.insert(words).second) << words;
    }
    EXPECT_EQ(error_category().message(last + 1), "unknown error " + std::to_string(last + 1));
}

TEST(error, is_what_the_standard_knows_where_it_knows_it)
{
    EXPECT_EQ(make_error_code(error::timed_out), std::errc::timed_out);
    EXPECT_EQ(make_error_code(error::cancelled), std::errc::operation_canceled);
    EXPECT_EQ(make_error_code(error::connection_lost), std::errc::connection_reset);
    EXPECT_EQ(make_error_code(error::tls_truncated), std::errc::connection_reset);
    EXPECT_EQ(make_error_code(error::invalid_argument), std::errc::invalid_argument);
    EXPECT_NE(make_error_code(error::tls_failed), std::errc::connection_reset);
}

} // namespace
} // namespace postrider
