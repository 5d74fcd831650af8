// SPDX-License-Identifier: MIT
// line_scan: every way of scanning gives what the octet-wise definition gives.

#include "smtp/line_scan.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace postrider::smtp {
namespace {

scanned scan_by_octets(char before, std::string_view text)
{
    scanned result{0, false};
    for (const char octet : text) {
        if (is_break(before, octet))
            break;
        result.eight_bit |= static_cast<unsigned char>(octet) > 0x7f;
        ++result.clean;
        before = octet;
    }
    return result;
}

void expect_same(char before, std::string_view text, std::size_t place)
{
    const scanned expected = scan_by_octets(before, text);
    for (const auto scan : {scan_lines, scan_lines_by_words}) {
        const scanned got = scan(before, text);
        ASSERT_EQ(got.clean, expected.clean) << "place " << place << " of " << text.size();
        ASSERT_EQ(got.eight_bit, expected.eight_bit) << "place " << place << " of " << text.size();
    }
}

/// Of the block behind the first octet.
void expect_same_marks(const std::string& text)
{
    std::uint64_t breaks = 0;
    bool eight_bit = false;
    for (std::size_t i = 0; i < block_marks::size; ++i) {
        breaks |= std::uint64_t{is_break(text[i], text[i + 1])} << i;
        eight_bit |= static_cast<unsigned char>(text[i + 1]) > 0x7f;
    }
    for (const auto mark : {mark_block, mark_block_by_words}) {
        ASSERT_EQ(mark(text.data() + 1).breaks, breaks);
        ASSERT_EQ(mark(text.data() + 1).eight_bit, eight_bit);
    }
}

TEST(line_scan, is_break_knows_the_three_breaks)
{
    for (const char before : {'\r', '\n', '.', 'a', '\0'}) {
        EXPECT_EQ(is_break(before, '\n'), before != '\r');
        EXPECT_EQ(is_break(before, 'a'), before == '\r');
        EXPECT_EQ(is_break(before, '\r'), before == '\r');
        EXPECT_EQ(is_break(before, '.'), before == '\r' || before == '\n');
    }
}

// Each pair of octets that matters, at every place around the borders of words and wide blocks.
TEST(line_scan, every_pair_at_every_place)
{
    constexpr std::string_view octets = "\r\n.a\x80\xff";
    for (const std::size_t size : {1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 66, 72, 129, 150}) {
        for (std::size_t place = 0; place < size; ++place) {
            for (const char first : octets) {
                for (const char second : octets) {
                    std::string text(size, 'x');
                    text[place] = first;
                    if (place + 1 < size)
                        text[place + 1] = second;
                    expect_same('x', text, place);
                    expect_same(second, text, place);
                }
            }
        }
    }
}

TEST(line_scan, octets_that_differ_in_one_bit_are_text)
{
    for (int octet = 0; octet < 256; ++octet) {
        const std::string text = std::string(70, 'x') + static_cast<char>(octet) + std::string(70, 'x');
        expect_same('x', text, 70);
        expect_same('x', "\r\n" + text, 72);
    }
}

TEST(line_scan, random_texts)
{
    std::mt19937 random(20260801);
    constexpr std::string_view pieces[] = {"\r\n", "\r\n",     "\r\n", "..",    "a",
                                           "text", "\xc3\xa4", "-",    "\r\n.", "\n"};
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        // The last two pieces are breaks, and few rounds have them, so that some texts are long.
        const std::size_t kinds = round % 4 == 0 ? 10 : 8;
        for (auto count = random() % 60; count > 0; --count)
            text += pieces[random() % kinds];
        expect_same(round % 2 == 0 ? 'x' : '\n', text, static_cast<std::size_t>(round));
    }
}

TEST(line_scan, random_blocks)
{
    std::mt19937 random(20260804);
    constexpr std::string_view octets = "\r\n.\x80\xff"
                                        "abcdefgh";
    for (int round = 0; round < 20'000; ++round) {
        // From blocks of nothing but line ends and dots to blocks with hardly any.
        const std::size_t kinds = 3 + random() % 11;
        std::string text(1 + block_marks::size, 'x');
        for (char& octet : text)
            octet = random() % 8 < random() % 9 ? octets[random() % kinds % octets.size()] : 'x';
        expect_same_marks(text);
    }
}

TEST(line_scan, an_empty_text_is_clean)
{
    expect_same('\r', {}, 0);
    expect_same('\n', {}, 0);
}

} // namespace
} // namespace postrider::smtp
