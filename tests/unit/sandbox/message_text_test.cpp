// SPDX-License-Identifier: MIT
// sandbox/message_text: what is read of simple messages, of MIME, and of garbage.

#include "sandbox/message_text.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postrider::sandbox {
namespace {

// Written with LF here, as a server would have received it: CRLF.
std::string received(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        if (c == '\n')
            out += '\r';
        out += c;
    }
    return out;
}

message_text read(std::string_view text) { return read_message(received(text)); }

TEST(message_text, reads_fields_unfolded_and_decoded)
{
    const auto found =
        read("Received: from a\n\tby b\n  for c\nSUBJECT : =?utf-8?Q?K=C3=A4se?=\nX-Empty:\n\nhello\n");
    ASSERT_EQ(found.fields.size(), 3u);
    EXPECT_EQ(found.fields[0].name, "Received");
    EXPECT_EQ(found.fields[0].value, "from a\tby b  for c");
    EXPECT_EQ(found.field("subject"), "Käse");
    EXPECT_EQ(found.field("x-empty"), "");
    EXPECT_EQ(found.field("none"), "");
    EXPECT_EQ(found.text, "hello\n");
    EXPECT_EQ(found.text_type, "text/plain");
    EXPECT_FALSE(found.fields_cut);
}

TEST(message_text, understands_bare_line_feeds)
{
    const auto found = read_message("Subject: a\n\ntext\n");
    EXPECT_EQ(found.field("subject"), "a");
    EXPECT_EQ(found.text, "text\n");
}

TEST(message_text, shows_text_that_came_without_a_header)
{
    EXPECT_EQ(read("just some text\nmore\n").text, "just some text\nmore\n");
    EXPECT_EQ(read("\nafter an empty line\n").text, "after an empty line\n");
    EXPECT_EQ(read("Subject: a\nno field here\n").text, "no field here\n");
    EXPECT_EQ(read(" Subject: folded into nothing\n").text, " Subject: folded into nothing\n");
    EXPECT_EQ(read("Subject: only").text, "");
    EXPECT_EQ(read("").text, "");
}

TEST(message_text, decodes_the_text_by_encoding_and_charset)
{
    EXPECT_EQ(
        read("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: Quoted-Printable\n\n"
             "K=E4=\nse\n")
            .text,
        "Käse\n");
    EXPECT_EQ(
        read("Content-Type: text/plain; charset=\"utf-8\"\nContent-Transfer-Encoding: base64\n\nS8Okc2U=\n")
            .text,
        "Käse");
    EXPECT_EQ(read("Content-Transfer-Encoding: 8bit\n\nKäse\n").text, "Käse\n");
}

TEST(message_text, prefers_plain_text_and_lists_the_parts)
{
    const auto found =
        read("Content-Type: multipart/mixed; boundary=\"out er\"\n\n"
             "preamble\n"
             "--out er\n"
             "Content-Type: multipart/alternative; boundary=inner\n\n"
             "--inner\nContent-Type: text/html\n\n<b>hi</b>\n"
             "--inner\n\nhi\n"
             "--inner--\n"
             "--out er\n"
             "Content-Type: application/pdf; name=\"old.pdf\"\n"
             "Content-Disposition: attachment; filename*=utf-8''K%C3%A4se%20%F0%9F%A7%80.pdf\n\n"
             "JVBERi0=\n"
             "--out er--\nepilogue\n");
    EXPECT_EQ(found.text, "hi");
    EXPECT_EQ(found.text_type, "text/plain");
    ASSERT_EQ(found.parts.size(), 3u);
    EXPECT_EQ(found.parts[0].type, "text/html");
    EXPECT_EQ(found.parts[0].octets, 9u);
    EXPECT_EQ(found.parts[2].type, "application/pdf");
    EXPECT_EQ(found.parts[2].name, "Käse 🧀.pdf");
    EXPECT_EQ(found.parts[2].octets, 8u);
}

TEST(message_text, gives_html_as_source_where_there_is_no_plain_text)
{
    const auto found = read("Content-Type: TEXT/HTML; charset=utf-8\n\n<script>alert(1)</script>\n");
    EXPECT_EQ(found.text, "<script>alert(1)</script>\n");
    EXPECT_EQ(found.text_type, "text/html");
}

TEST(message_text, takes_no_attachment_for_the_text)
{
    const auto found = read("Content-Type: multipart/mixed; boundary=b\n\n"
                            "--b\nContent-Disposition: attachment; filename=notes.txt\n\nnotes\n"
                            "--b\nContent-Type: image/png\n\nxx\n--b--\n");
    EXPECT_EQ(found.text_type, "");
    EXPECT_EQ(found.text, "");
    EXPECT_EQ(found.parts[0].name, "notes.txt");
}

TEST(message_text, ends_an_inner_part_where_the_outer_one_goes_on)
{
    const auto found = read("Content-Type: multipart/mixed; boundary=a\n\n"
                            "--a\nContent-Type: multipart/mixed; boundary=b\n\n"
                            "--b\nContent-Type: text/html\n\nnever closed\n"
                            "--a\n\nsecond\n"
                            "--a--\n");
    EXPECT_EQ(found.text, "second");
    ASSERT_EQ(found.parts.size(), 2u);
}

TEST(message_text, takes_only_whole_lines_for_delimiters)
{
    const auto found = read("Content-Type: multipart/mixed; boundary=b\n\n"
                            "--b\n\nx --b\n--bb\n --b\n--b- -\n--b \t\n\nsecond\n--b--\n");
    EXPECT_EQ(found.text, "x --b\n--bb\n --b\n--b- -");
    EXPECT_EQ(found.parts.size(), 2u);
}

TEST(message_text, shows_a_multipart_without_boundary_as_text)
{
    EXPECT_EQ(read("Content-Type: multipart/mixed\n\n--b\ntext\n").text, "--b\ntext\n");
}

TEST(message_text, cuts_fields_at_their_limits)
{
    reading_limits limits;
    limits.fields_max = 2;
    limits.field_octets_max = 5;
    const auto found = read_message("A: 123456789\r\nB: 2\r\nC: 3\r\n\r\ntext", limits);
    ASSERT_EQ(found.fields.size(), 2u);
    EXPECT_EQ(found.fields[0].value, "1234");
    EXPECT_TRUE(found.fields_cut);
    EXPECT_EQ(found.text, "text");

    limits = {};
    limits.header_octets_max = 20;
    const auto skipped = read_message("A: 1\r\nB: 12345678901234\r\nC: 3\r\n\r\ntext", limits);
    EXPECT_EQ(skipped.fields.size(), 2u);
    EXPECT_TRUE(skipped.fields_cut);
    EXPECT_EQ(skipped.text, "text");
}

TEST(message_text, cuts_the_text_between_characters)
{
    reading_limits limits;
    limits.text_octets_max = 6;
    for (const std::string text : {"12345ä6", "1234€56", "123🧀456"}) {
        const auto found = read_message("\r\n" + text, limits);
        EXPECT_TRUE(found.text_cut);
        EXPECT_TRUE(base::is_utf8(found.text));
        EXPECT_EQ(found.text.find("\xef\xbf\xbd"), found.text.npos) << found.text;
        EXPECT_TRUE(text.starts_with(found.text));
    }
    EXPECT_FALSE(read_message("\r\n123456", limits).text_cut);
}

TEST(message_text, stops_at_its_depth_and_number_of_parts)
{
    std::string nested, flat = "Content-Type: multipart/mixed; boundary=b\n\n";
    for (int i = 0; i < 50; ++i)
        nested += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\n\n--b" +
                  std::to_string(i) + "\n";
    for (int i = 0; i < 200; ++i)
        flat += "--b\n\npart\n";
    EXPECT_EQ(read(nested).parts.size(), 1u);
    const auto found = read(flat);
    EXPECT_EQ(found.parts.size(), 100u);
    EXPECT_TRUE(found.parts_cut);
    EXPECT_EQ(found.text, "part");
}

TEST(message_text, survives_parameters_that_are_cut_off)
{
    for (const auto* type : {"multipart/mixed; boundary=\"b",
                             "multipart/mixed; boundary=", "multipart/mixed; =", "multipart/mixed; boundary",
                             "text/plain; charset=\"\\", ";;;=;=\""})
        EXPECT_EQ(read("Content-Type: " + std::string(type) + "\n\ntext\n").text.substr(0, 4), "text")
            << type;
}

TEST(message_text, reads_the_header_alone)
{
    const auto found =
        read_header("Subject: a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n");
    EXPECT_EQ(found.field("subject"), "a");
    EXPECT_EQ(found.text, "");
    EXPECT_TRUE(found.parts.empty());
}

} // namespace
} // namespace postrider::sandbox
