// SPDX-License-Identifier: MIT
// data_encoder: any message, in any pieces, leaves as RFC 5321 wants it, in few ranges.

#include "smtp/data_encoder.hpp"
#include "unit/smtp/data_cases.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace postrider::smtp {
namespace {

/// What must come out, octet by octet, in the plainest words: mend the line ends, then double the
/// dots, then end the message.
std::string expected_wire(std::string_view message)
{
    std::string lines;
    for (std::size_t i = 0; i < message.size(); ++i) {
        if (message[i] == '\r' || message[i] == '\n') {
            if (message.substr(i, 2) == "\r\n")
                ++i;
            lines += "\r\n";
        } else {
            lines += message[i];
        }
    }
    if (!lines.empty() && !lines.ends_with('\n'))
        lines += "\r\n";

    std::string wire;
    char before = '\n';
    for (const char octet : lines) {
        if (before == '\n' && octet == '.')
            wire += '.';
        wire += octet;
        before = octet;
    }
    return wire + ".\r\n";
}

/// A driver as small as it can be: writes when told to, and looks after its buffers as a driver may.
class writer {
public:
    explicit writer(std::size_t ranges_max = data_encoder::default_ranges_max) : ranges_max_(ranges_max) {}

    /// Each piece lies in memory of its own and is gone after the write, so that a range that
    /// pointed beyond a piece or lived too long would be seen.
    void put(std::string_view piece)
    {
        std::size_t taken = 0;
        while (taken < piece.size()) {
            std::vector<char> own(piece.begin() + static_cast<std::ptrdiff_t>(taken), piece.end());
            const std::size_t now = encoder_.encode({own.data(), own.size()}, ranges_, ranges_max_);
            ASSERT_GT(now, 0u);
            ASSERT_LE(now, own.size());
            ASSERT_LE(ranges_.size(), ranges_max_);
            taken += now;
            write();
        }
        ASSERT_EQ(encoder_.encode({}, ranges_, ranges_max_), 0u);
        ASSERT_TRUE(ranges_.empty());
    }

    /// All pieces before anything is written, as far as the encoder lets it.
    void put_together(const std::vector<std::string>& pieces)
    {
        for (const std::string& piece : pieces) {
            std::string_view rest = piece;
            while (!rest.empty()) {
                const std::size_t now = encoder_.encode(rest, ranges_, ranges_max_);
                ASSERT_LE(ranges_.size(), ranges_max_);
                rest.remove_prefix(now);
                if (!rest.empty())
                    write();
            }
        }
    }

    std::string finish()
    {
        encoder_.finish(ranges_);
        write();
        return wire_;
    }

    std::size_t writes() const { return writes_; }
    std::size_t ranges() const { return ranges_written_; }
    const data_encoder& encoder() const { return encoder_; }

private:
    void write()
    {
        for (const std::string_view range : ranges_) {
            EXPECT_FALSE(range.empty());
            wire_ += range;
        }
        ranges_written_ += ranges_.size();
        ++writes_;
        ranges_.clear();
    }

    data_encoder encoder_;
    std::size_t ranges_max_;
    std::vector<std::string_view> ranges_;
    std::string wire_;
    std::size_t writes_ = 0;
    std::size_t ranges_written_ = 0;
};

std::string wire_of(const std::vector<std::string>& pieces)
{
    writer to;
    for (const std::string& piece : pieces)
        to.put(piece);
    return to.finish();
}

TEST(data_encoder, line_ends_become_crlf)
{
    EXPECT_EQ(wire_of({"a\r\nb\nc\rd"}), "a\r\nb\r\nc\r\nd\r\n.\r\n");
    EXPECT_EQ(wire_of({"a\n\r\n\r\r\n\n"}), "a\r\n\r\n\r\n\r\n\r\n.\r\n");
}

TEST(data_encoder, a_line_end_between_two_pieces_is_one_line_end)
{
    EXPECT_EQ(wire_of({"\r", "\nfoo"}), "\r\nfoo\r\n.\r\n");
    EXPECT_EQ(wire_of({"\r", "foo"}), "\r\nfoo\r\n.\r\n");
    EXPECT_EQ(wire_of({"\r", "", "\n", "", "foo"}), "\r\nfoo\r\n.\r\n");
    EXPECT_EQ(wire_of({"a\r", ".b"}), "a\r\n..b\r\n.\r\n");
}

TEST(data_encoder, dots_that_begin_a_line_are_doubled)
{
    EXPECT_EQ(wire_of({".a\r\n.\r\nb.c\r\n..\r\n"}), "..a\r\n..\r\nb.c\r\n...\r\n.\r\n");
    EXPECT_EQ(wire_of({"."}), "..\r\n.\r\n");
    EXPECT_EQ(wire_of({"a\r\n", ".", ".b"}), "a\r\n...b\r\n.\r\n");
}

TEST(data_encoder, the_last_line_is_ended_and_an_empty_message_has_none)
{
    EXPECT_EQ(wire_of({}), ".\r\n");
    EXPECT_EQ(wire_of({""}), ".\r\n");
    EXPECT_EQ(wire_of({"a"}), "a\r\n.\r\n");
    EXPECT_EQ(wire_of({"a\r"}), "a\r\n.\r\n");
    EXPECT_EQ(wire_of({"a\r\n"}), "a\r\n.\r\n");
}

// CVE-2023-51764: what some server takes for the end of data, in the middle of the message.
TEST(data_encoder, no_spelling_of_the_end_of_data_survives)
{
    for (const char* end :
         {"\r\n.\r\n", "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\n.\r"}) {
        EXPECT_EQ(wire_of({std::string("a") + end + "MAIL FROM:<x@example.org>\r\n"}),
                  "a\r\n..\r\nMAIL FROM:<x@example.org>\r\n.\r\n")
            << test::visible(end);
    }
}

TEST(data_encoder, every_short_message_in_every_two_pieces)
{
    test::for_all_short_texts(8, [](const std::string& message) {
        const std::string expected = expected_wire(message);
        for (std::size_t cut = 0; cut <= message.size(); ++cut)
            ASSERT_EQ(wire_of({message.substr(0, cut), message.substr(cut)}), expected)
                << test::visible(message) << " cut at " << cut;
    });
}

TEST(data_encoder, every_short_message_in_every_three_pieces)
{
    test::for_all_short_texts(6, [](const std::string& message) {
        const std::string expected = expected_wire(message);
        for (std::size_t first = 0; first <= message.size(); ++first)
            for (std::size_t second = first; second <= message.size(); ++second)
                ASSERT_EQ(wire_of({message.substr(0, first), message.substr(first, second - first),
                                   message.substr(second)}),
                          expected)
                    << test::visible(message) << " cut at " << first << " and " << second;
    });
}

TEST(data_encoder, a_dot_at_every_read_border)
{
    for (const std::size_t size : {1, 15, 16, 17, 63, 64, 65, 127, 128, 1023, 1024, 1025}) {
        const std::string before = std::string(size, 'a') + "\r\n";
        EXPECT_EQ(wire_of({before, ".b\r\n"}), before + "..b\r\n.\r\n") << size;
        EXPECT_EQ(wire_of({before + ".", "b\r\n"}), before + "..b\r\n.\r\n") << size;
        EXPECT_EQ(wire_of({before + ".b\r\n"}), before + "..b\r\n.\r\n") << size;
    }
}

/// Lines of many lengths with some of everything: long stretches to point at, short ones to copy.
std::string random_message(std::mt19937& random, std::size_t size)
{
    constexpr std::string_view ends[] = {"\r\n", "\n", "\r", "\r\n.", "\n.", "\n\n", ".\r\n"};
    const std::size_t first_end = random() % 3, kinds_of_end = 1 + random() % 5;
    std::string message;
    while (message.size() < size) {
        const bool long_line = random() % 16 == 0;
        message.append(random() % (long_line ? 8000 : 100), static_cast<char>(random()));
        message += ends[(first_end + random() % kinds_of_end) % 7];
    }
    message.resize(size);
    return message;
}

TEST(data_encoder, large_random_messages_in_random_pieces)
{
    std::mt19937 random(20260802);
    for (int round = 0; round < 150; ++round) {
        const std::string message = random_message(random, random() % 600'000);
        const std::string expected = expected_wire(message);
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < message.size();) {
            const std::size_t size =
                std::min<std::size_t>(1 + random() % (1u << random() % 20), message.size() - at);
            pieces.push_back(message.substr(at, size));
            at += size;
        }
        ASSERT_TRUE(wire_of({message}) == expected) << "whole, round " << round;

        writer narrow(2 + random() % 5), together;
        for (const std::string& piece : pieces)
            narrow.put(piece);
        ASSERT_TRUE(narrow.finish() == expected) << "in pieces, round " << round;
        together.put_together(pieces);
        ASSERT_TRUE(together.finish() == expected) << "pieces gathered, round " << round;
    }
}

TEST(data_encoder, clean_input_is_one_range_where_it_lies)
{
    std::string message;
    for (int line = 0; line < 1000; ++line)
        message += "A line of text that has its CRLF and begins with no dot.\r\n";
    data_encoder encoder;
    std::vector<std::string_view> ranges;
    ASSERT_EQ(encoder.encode(message, ranges), message.size());
    ASSERT_EQ(ranges.size(), 1u);
    EXPECT_EQ(ranges[0].data(), message.data());
    EXPECT_EQ(ranges[0].size(), message.size());
}

TEST(data_encoder, a_file_with_lf_needs_few_ranges)
{
    std::string message;
    for (int line = 0; line < 20'000; ++line)
        message += "A line of text as a Unix file has it, or as base64 writes it, 76 octets long\n";
    writer to;
    to.put(message);
    EXPECT_TRUE(to.finish() == expected_wire(message));
    EXPECT_LE(to.ranges(), message.size() / 15'000);
}

TEST(data_encoder, pieces_of_one_line_are_gathered)
{
    std::vector<std::string> lines(600, "A program that writes its message line by line.\r\n");
    writer to;
    to.put_together(lines);
    to.finish();
    EXPECT_EQ(to.writes(), 1u);
    EXPECT_LE(to.ranges(), 3u);
}

TEST(data_encoder, long_lines_between_changes_are_not_copied)
{
    const std::string line = std::string(50'000, 'a') + "\n";
    const std::string message = line + line;
    data_encoder encoder;
    std::vector<std::string_view> ranges;
    ASSERT_EQ(encoder.encode(message, ranges), message.size());
    ASSERT_EQ(ranges.size(), 4u);
    EXPECT_EQ(ranges[0].data(), message.data());
    EXPECT_EQ(ranges[1], "\r");
    EXPECT_EQ(ranges[2].data(), message.data() + 50'000);
    EXPECT_EQ(ranges[3], "\r\n");
}

TEST(data_encoder, eight_bit_is_seen_wherever_it_stands)
{
    for (const std::size_t place : {0, 1, 7, 8, 15, 16, 63, 64, 99}) {
        std::string message(100, 'a');
        writer clean;
        clean.put(message);
        EXPECT_FALSE(clean.encoder().eight_bit());

        message[place] = static_cast<char>(0x80);
        writer eight_bit;
        eight_bit.put(message);
        EXPECT_TRUE(eight_bit.encoder().eight_bit()) << place;
    }
}

TEST(data_encoder, eight_bit_is_not_claimed_of_octets_not_taken)
{
    const std::string message = std::string(2000, 'a') + "\n" + std::string(2000, 'a') + "\n\xe4";
    data_encoder encoder;
    std::vector<std::string_view> ranges;
    const std::size_t taken = encoder.encode(message, ranges, 3);
    ASSERT_LT(taken, message.size() - 1);
    EXPECT_FALSE(encoder.eight_bit());
    ranges.clear();
    ASSERT_EQ(encoder.encode(std::string_view(message).substr(taken), ranges), message.size() - taken);
    EXPECT_TRUE(encoder.eight_bit());
}

} // namespace
} // namespace postrider::smtp
