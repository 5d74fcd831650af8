// SPDX-License-Identifier: MIT
// sandbox/encoded_text: encoded words, charsets and transfer encodings, sound and broken.

#include "sandbox/encoded_text.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postrider::sandbox {
namespace {

constexpr std::size_t plenty = 1000;

TEST(encoded_text, makes_any_octets_valid_utf8)
{
    EXPECT_EQ(valid_utf8("Käse 🧀"), "Käse 🧀");
    EXPECT_EQ(valid_utf8("a\xff\xc3 b"), "a\xef\xbf\xbd\xef\xbf\xbd b");
    EXPECT_EQ(valid_utf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(encoded_text, reads_the_charsets_it_knows)
{
    EXPECT_EQ(to_utf8("K\xe4se", "ISO-8859-1"), "Käse");
    EXPECT_EQ(to_utf8("\x80 \x93quoted\x94 \x81", "windows-1252"), "€ “quoted” \xef\xbf\xbd");
    EXPECT_EQ(to_utf8("Käse", "us-ascii"), "Käse"); // mislabelled, and clear what was meant
    EXPECT_EQ(to_utf8("K\xe4se", "koi8-r"), "K\xef\xbf\xbdse");
    EXPECT_TRUE(is_known_charset("UTF-8"));
    EXPECT_FALSE(is_known_charset("koi8-r"));
}

TEST(encoded_text, decodes_encoded_words)
{
    EXPECT_EQ(decode_words("=?utf-8?Q?K=C3=A4se_und_Wein?="), "Käse und Wein");
    EXPECT_EQ(decode_words("=?ISO-8859-1?q?Andr=E9?= <a@example.com>"), "André <a@example.com>");
    EXPECT_EQ(decode_words("=?utf-8?B?w5ZmZm51bmc=?="), "Öffnung");
    EXPECT_EQ(decode_words("=?utf-8*de?Q?Wein?="), "Wein");
    EXPECT_EQ(decode_words("plain = text ?= here"), "plain = text ?= here");
}

TEST(encoded_text, drops_the_space_between_words_and_keeps_it_elsewhere)
{
    EXPECT_EQ(decode_words("=?utf-8?Q?a?= =?utf-8?Q?b?="), "ab");
    EXPECT_EQ(decode_words("=?utf-8?Q?a?= \t =?iso-8859-1?Q?=E9?="), "aé");
    EXPECT_EQ(decode_words("x  =?utf-8?Q?a?=  y =?utf-8?Q?b?= "), "x  a  y b ");
}

TEST(encoded_text, joins_a_character_that_was_cut_in_two)
{
    EXPECT_EQ(decode_words("=?utf-8?Q?K=C3?= =?utf-8?Q?=A4se?="), "Käse");
    EXPECT_EQ(decode_words("=?utf-8?B?w6Q=?= =?UTF-8?B?w7Y=?="), "äö");
}

TEST(encoded_text, leaves_what_is_no_encoded_word)
{
    for (const std::string text : {"=?koi8-r?Q?abc?=", "=?utf-8?X?abc?=", "=?utf-8?Q?two words?=",
                                   "=?utf-8?Q?open", "=?utf-8?Q", "=?", "=??Q?abc?="})
        EXPECT_EQ(decode_words(text), text);
    EXPECT_EQ(decode_words("=?utf-8?Q?=C3?="), "\xef\xbf\xbd");
    EXPECT_EQ(decode_words("=?utf-8?Q?=zz?="), "=zz");
}

TEST(encoded_text, decodes_quoted_printable)
{
    EXPECT_EQ(decode_quoted_printable("K=C3=A4=\r\nse \t\r\nend", plenty), "Käse\r\nend");
    EXPECT_EQ(decode_quoted_printable("bare=\nfeed\n", plenty), "barefeed\r\n");
    EXPECT_EQ(decode_quoted_printable("a=4", plenty), "a=4");
    EXPECT_EQ(decode_quoted_printable("a=G1=", plenty), "a=G1");
    EXPECT_EQ(decode_quoted_printable(std::string(100, 'x') + "\r\n", 10), std::string(10, 'x'));
}

TEST(encoded_text, decodes_base64)
{
    EXPECT_EQ(decode_base64("aGVsbG8=", plenty), "hello");
    EXPECT_EQ(decode_base64("aGV\r\nsbG 8*", plenty), "hello");
    EXPECT_EQ(decode_base64("aGVsbG8=aGVsbG8=", plenty), "hello");
    EXPECT_EQ(decode_base64("a", plenty), "");
    EXPECT_EQ(decode_base64(std::string(4000, 'A'), 10).size(), 10u);
}

TEST(encoded_text, decodes_percent_signs)
{
    EXPECT_EQ(decode_percent("a%20b+c%zz%4", true), "a b c%zz%4");
    EXPECT_EQ(decode_percent("a+b%2Bc", false), "a+b+c");
}

TEST(encoded_text, gives_valid_utf8_for_any_header_value)
{
    std::string value;
    for (int i = 0; i < 256; ++i) {
        value += "=?utf-8?Q?";
        value += static_cast<char>(i);
        value += "?= ";
        EXPECT_TRUE(base::is_utf8(decode_words(value)));
    }
}

} // namespace
} // namespace postrider::sandbox
