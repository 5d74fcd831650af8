// SPDX-License-Identifier: MIT
// data_decoder: only CRLF "." CRLF ends a message, whatever the pieces it comes in.

#include "smtp/data_decoder.hpp"

#include "smtp/data_encoder.hpp"
#include "unit/smtp/data_cases.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace postrider::smtp {
namespace {

using status = data_decoder::status;

struct decoded {
    status what;
    std::size_t taken;
    std::string message;
    bool operator==(const decoded&) const = default;
};

/// What must come out, line by line, in the plainest words. A line that is not ended yet is handed
/// on as far as nothing that may follow can change it.
decoded expected_message(std::string_view wire)
{
    decoded result{status::more, 0, {}};
    while (true) {
        const std::string_view rest = wire.substr(result.taken);
        std::size_t end = rest.find_first_of("\r\n");
        const std::string_view line = rest.substr(0, end);
        const std::string_view text = line.starts_with('.') ? line.substr(1) : line;
        const bool last = line == ".";
        const std::string_view line_end = end == rest.npos ? "" : rest.substr(end, 2);
        const bool whole = line_end == "\r\n";
        if (!(last && whole))
            result.message += text;
        if (line_end.empty() || line_end == "\r") {
            result.taken = wire.size();
            return result;
        }
        if (!whole) {
            // Seen at the LF itself, or at the octet that comes after the CR.
            result.what = status::bare;
            result.taken += end + (line_end.front() == '\r' ? 1 : 0);
            return result;
        }
        result.taken += end + 2;
        if (last) {
            result.what = status::end;
            return result;
        }
        result.message += "\r\n";
    }
}

decoded decode(const std::vector<std::string>& pieces)
{
    data_decoder decoder;
    decoded result{status::more, 0, {}};
    for (const std::string& piece : pieces) {
        // Memory of its own, without room behind it: reading too far would be seen.
        const std::vector<char> own(piece.begin(), piece.end());
        const data_decoder::progress step = decoder.decode({own.data(), own.size()}, result.message);
        result.what = step.what;
        result.taken += step.taken;
        if (step.what != status::more)
            return result;
        EXPECT_EQ(step.taken, piece.size());
    }
    return result;
}

void expect_decoded(const std::vector<std::string>& pieces, const decoded& expected)
{
    const decoded got = decode(pieces);
    std::string shown;
    for (const std::string& piece : pieces)
        shown += test::visible(piece) + "|";
    ASSERT_EQ(got.what, expected.what) << shown;
    ASSERT_EQ(got.taken, expected.taken) << shown;
    ASSERT_EQ(test::visible(got.message), test::visible(expected.message)) << shown;
}

TEST(data_decoder, a_message_and_what_follows_it)
{
    expect_decoded({"a\r\nb\r\n.\r\nQUIT\r\n"}, {status::end, 9, "a\r\nb\r\n"});
    expect_decoded({".\r\n"}, {status::end, 3, ""});
    expect_decoded({"a\r\n.\r"}, {status::more, 5, "a\r\n"});
}

TEST(data_decoder, doubled_dots_are_taken_off)
{
    expect_decoded({"..\r\n..a\r\n.b\r\nc..\r\n.\r\n"}, {status::end, 21, ".\r\n.a\r\nb\r\nc..\r\n"});
}

// CVE-2023-51764 and its family: each of these once ended a message at some server.
TEST(data_decoder, no_other_spelling_ends_a_message)
{
    for (const char* end : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\n.\r"}) {
        const decoded got = decode({std::string("a") + end + "MAIL FROM:<x@example.org>\r\n"});
        EXPECT_EQ(got.what, status::bare) << test::visible(end);
        EXPECT_EQ(got.message, std::string_view(end).starts_with("\r\n") ? "a\r\n" : "a")
            << test::visible(end);
    }
}

TEST(data_decoder, a_message_with_a_bare_octet_cannot_be_saved)
{
    data_decoder decoder;
    std::string out;
    EXPECT_EQ(decoder.decode("a\nb\r\n.\r\n", out).what, status::bare);
    EXPECT_EQ(decoder.decode("\nb\r\n.\r\n", out).what, status::bare);
    EXPECT_EQ(out, "a");
}

TEST(data_decoder, is_ready_for_the_next_message_after_the_end)
{
    data_decoder decoder;
    std::string out;
    for (int message = 0; message < 3; ++message)
        EXPECT_EQ(decoder.decode("..a\r\n.\r\n", out).what, status::end);
    EXPECT_EQ(out, ".a\r\n.a\r\n.a\r\n");
}

TEST(data_decoder, every_short_wire_in_every_two_pieces)
{
    test::for_all_short_texts(8, [](const std::string& wire) {
        const decoded expected = expected_message(wire);
        for (std::size_t cut = 0; cut <= wire.size(); ++cut)
            expect_decoded({wire.substr(0, cut), wire.substr(cut)}, expected);
    });
}

TEST(data_decoder, every_short_wire_in_every_three_pieces)
{
    test::for_all_short_texts(6, [](const std::string& wire) {
        const decoded expected = expected_message(wire);
        for (std::size_t first = 0; first <= wire.size(); ++first)
            for (std::size_t second = first; second <= wire.size(); ++second)
                expect_decoded(
                    {wire.substr(0, first), wire.substr(first, second - first), wire.substr(second)},
                    expected);
    });
}

TEST(data_decoder, a_dot_at_every_read_border)
{
    for (const std::size_t size : {1, 15, 16, 17, 63, 64, 65, 127, 128, 1023}) {
        const std::string line = std::string(size, 'a') + "\r\n";
        const std::string wire = line + "..\r\n" + line + ".\r\n";
        const decoded expected{status::end, wire.size(), line + ".\r\n" + line};
        for (std::size_t cut = 0; cut <= wire.size(); ++cut)
            expect_decoded({wire.substr(0, cut), wire.substr(cut)}, expected);
    }
}

TEST(data_decoder, large_random_messages_come_back)
{
    std::mt19937 random(20260803);
    for (int round = 0; round < 100; ++round) {
        std::string message;
        for (const std::size_t size = random() % 300'000; message.size() < size;) {
            message.append(random() % 4 == 0 ? 1 : 0, '.');
            message.append(random() % (random() % 16 == 0 ? 5000 : 90), static_cast<char>(random() | 0x10));
            message += "\r\n";
        }
        data_encoder encoder;
        std::string wire;
        std::vector<std::string_view> ranges;
        for (std::string_view rest = message; !rest.empty();) {
            rest.remove_prefix(encoder.encode(rest, ranges));
            for (const std::string_view range : ranges)
                wire += range;
            ranges.clear();
        }
        encoder.finish(ranges);
        wire += ranges.front();

        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < wire.size();) {
            const std::size_t size = 1 + random() % (1u << random() % 18);
            pieces.push_back(wire.substr(at, size));
            at += size;
        }
        ASSERT_TRUE(decode(pieces) == (decoded{status::end, wire.size(), message})) << "round " << round;
    }
}

} // namespace
} // namespace postrider::smtp
