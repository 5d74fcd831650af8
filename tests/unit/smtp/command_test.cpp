// SPDX-License-Identifier: MIT
// smtp/command_test: the lines that a client says, and that nothing else can be said (B7).

#include "smtp/command.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postrider::smtp {
namespace {

TEST(command, names_itself)
{
    EXPECT_EQ(ehlo_line("relay.example"), "EHLO relay.example");
    EXPECT_EQ(helo_line("[192.0.2.1]"), "HELO [192.0.2.1]");
}

TEST(command, mail_has_the_reverse_path_and_the_parameters_it_is_given)
{
    const std::optional<address> ann(address("ann@a.example"));
    EXPECT_EQ(mail_line(ann, {}), "MAIL FROM:<ann@a.example>");
    EXPECT_EQ(mail_line(ann, {.eight_bit_mime = true}), "MAIL FROM:<ann@a.example> BODY=8BITMIME");
    EXPECT_EQ(mail_line(ann, {.eight_bit_mime = true, .smtputf8 = true}),
              "MAIL FROM:<ann@a.example> BODY=8BITMIME SMTPUTF8");
}

TEST(command, mail_without_a_reverse_path_has_the_null_one)
{
    EXPECT_EQ(mail_line(std::nullopt, {}), "MAIL FROM:<>");
}

TEST(command, rcpt_is_quoted_where_it_must_be)
{
    EXPECT_EQ(rcpt_line(address("bob@b.example"), false), "RCPT TO:<bob@b.example>");
    EXPECT_EQ(rcpt_line(address("\"a> b\"@b.example"), false), "RCPT TO:<\"a> b\"@b.example>");
}

TEST(command, domain_is_in_a_labels_unless_smtputf8_is_used)
{
    const address bob("bob@b\xc3\xbc"
                      "cher.example");
    EXPECT_EQ(rcpt_line(bob, false), "RCPT TO:<bob@xn--bcher-kva.example>");
    EXPECT_EQ(rcpt_line(bob, true), "RCPT TO:<bob@b\xc3\xbc"
                                    "cher.example>");
}

TEST(command, is_appended_with_its_line_end)
{
    std::string out;
    append_command(out, "RSET");
    append_command(out, "QUIT");
    EXPECT_EQ(out, "RSET\r\nQUIT\r\n");
}

TEST(command, may_hold_utf8_with_smtputf8_alone)
{
    std::string out;
    append_command(out, "RCPT TO:<jos\xc3\xa9@b.example>", true);
    EXPECT_EQ(out, "RCPT TO:<jos\xc3\xa9@b.example>\r\n");
}

// No CR, LF or NUL from an address or a parameter reaches the wire: the program ends first.
TEST(command_death, line_with_an_octet_that_could_end_it)
{
    for (int octet = 0; octet < 256; ++octet) {
        const bool may_stand = octet >= 0x20 && octet < 0x7f;
        if (may_stand || (octet > 1 && octet < 9) || (octet > 0x81 && octet < 0xfe))
            continue; // each death is a process: the borders are enough
        const std::string line = "RCPT TO:<bob" + std::string(1, static_cast<char>(octet)) + "@b.example>";
        std::string out;
        EXPECT_DEATH(append_command(out, line), "") << "octet " << octet;
    }
}

TEST(command_death, control_octets_are_none_of_smtputf8_either)
{
    std::string out;
    for (const char octet : {'\0', '\r', '\n', '\x1f', '\x7f'}) {
        const std::string line = "MAIL FROM:<a" + std::string(1, octet) + "@b.example> SMTPUTF8";
        EXPECT_DEATH(append_command(out, line, true), "");
    }
}

// The addresses of CVE-2015-9096 and its family: they are none, so that no line is ever made of them.
TEST(command, addresses_that_hold_a_second_command_are_none)
{
    for (const char* text : {
             "bob@b.example>\r\nRCPT TO:<eve@b.example",
             "bob@b.example\r\nDATA",
             "bob\r\n@b.example",
             "bob\n@b.example",
             "bob\r@b.example",
             "\"bob\r\nRSET\r\n\"@b.example",
             "\"bob\\\r\\\n\"@b.example",
             "bob@b.example\n",
             "bob@[127.0.0.1\r\nQUIT]",
             "bob@b.exa\r\nmple",
             "bob> SIZE=1@b.example",
             "bob@b.example> NOTIFY=NEVER",
         })
        EXPECT_FALSE(address::parse(text)) << text;
    EXPECT_FALSE(address::parse(std::string_view("bob\0@b.example", 14)));
    EXPECT_FALSE(address::parse(std::string_view("bob@b.example\0", 14)));
}

TEST(command, names_that_hold_a_second_command_are_none)
{
    for (const char* text :
         {"relay.example\r\nMAIL FROM:<>", "relay\n.example", "relay.example ", "[127.0.0.1]\r\n"})
        EXPECT_FALSE(parse_domain(text)) << text;
}

} // namespace
} // namespace postrider::smtp
