// SPDX-License-Identifier: MIT
// smtp/command_reader: lines are cut at CRLF only, the same for any split.

#include "smtp/command_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postrider::smtp {
namespace {

using status = command_reader::status;

/// Everything that the reader says about octets that come in pieces: "line|", "line>" for one that
/// was too long, "!" for a line end that stands alone.
std::string read(std::string_view octets, std::size_t piece, std::size_t line_max)
{
    command_reader reader(line_max);
    std::string said;
    for (std::size_t at = 0; at < octets.size(); at += piece) {
        const std::string copy(octets.substr(at, piece));
        std::string_view input = copy;
        while (!input.empty()) {
            switch (reader.read(input)) {
            case status::more: break;
            case status::line: said += reader.line() + "|"; break;
            case status::too_long: said += reader.line() + ">"; break;
            case status::bare: return said + "!";
            }
        }
    }
    return said;
}

TEST(command_reader, cuts_at_crlf_only)
{
    EXPECT_EQ(read("NOOP\r\nQUIT\r\n", 100, 100), "NOOP|QUIT|");
    EXPECT_EQ(read("\r\n\r\n", 100, 100), "||");
    EXPECT_EQ(read("NOOP", 100, 100), "");
    EXPECT_EQ(read("NOOP\r", 100, 100), "");
    EXPECT_EQ(read("a\nb\r\n", 100, 100), "!");
    EXPECT_EQ(read("a\rb\r\n", 100, 100), "!");
    EXPECT_EQ(read("a\r\r\n", 100, 100), "!");
    EXPECT_EQ(read("a\r\n\nb\r\n", 100, 100), "a|!");
}

TEST(command_reader, keeps_a_bounded_beginning_of_a_line_that_is_too_long)
{
    EXPECT_EQ(read("123456\r\n", 100, 8), "123456|");
    EXPECT_EQ(read("1234567\r\nb\r\n", 100, 8), "123456>b|");
    command_reader reader(8);
    const std::string much(1 << 20, 'x');
    for (int i = 0; i < 4; ++i) {
        std::string_view input = much;
        EXPECT_EQ(reader.read(input), status::more);
        EXPECT_TRUE(input.empty());
    }
    EXPECT_LE(reader.line().size(), 6u);
}

TEST(command_reader, reads_the_same_in_any_pieces)
{
    // Every text of up to six octets over these, in pieces of one and two against the whole.
    const std::string alphabet = "\r\na";
    for (std::size_t length = 0; length <= 6; ++length) {
        std::size_t texts = 1;
        for (std::size_t i = 0; i < length; ++i)
            texts *= alphabet.size();
        for (std::size_t n = 0; n < texts; ++n) {
            std::string text;
            for (std::size_t rest = n, i = 0; i < length; ++i, rest /= alphabet.size())
                text += alphabet[rest % alphabet.size()];
            for (const std::size_t piece : {1u, 2u, 3u})
                EXPECT_EQ(read(text, piece, 4), read(text, 100, 4)) << n << " of " << length;
        }
    }
}

} // namespace
} // namespace postrider::smtp
