// SPDX-License-Identifier: MIT
// smtp/command: the text of commands.

#include "smtp/command.hpp"

#include <algorithm>
#include <cstdlib>

namespace postrider::smtp {
namespace {

bool may_stand_in_a_command(char c, bool smtputf8) noexcept
{
    const auto octet = static_cast<unsigned char>(c);
    return octet >= 0x20 && octet != 0x7f && (octet < 0x80 || smtputf8);
}

} // namespace

std::string ehlo_line(std::string_view our_name) { return std::string("EHLO ").append(our_name); }

std::string helo_line(std::string_view our_name) { return std::string("HELO ").append(our_name); }

std::string mail_line(const std::optional<address>& reverse_path, mail_parameters parameters)
{
    std::string line = "MAIL FROM:<";
    if (reverse_path)
        line += reverse_path->to_string(parameters.smtputf8);
    line += '>';
    if (parameters.eight_bit_mime)
        line += " BODY=8BITMIME";
    if (parameters.smtputf8)
        line += " SMTPUTF8";
    return line;
}

std::string rcpt_line(const address& forward_path, bool smtputf8)
{
    return "RCPT TO:<" + forward_path.to_string(smtputf8) + '>';
}

void append_command(std::string& out, std::string_view line, bool smtputf8)
{
    // abort() rather than assert(): what cannot be must not reach the wire in a release build either.
    if (!std::all_of(line.begin(), line.end(), [=](char c) { return may_stand_in_a_command(c, smtputf8); }))
        std::abort();
    out += line;
    out += "\r\n";
}

} // namespace postrider::smtp
