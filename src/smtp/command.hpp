// SPDX-License-Identifier: MIT
#pragma once
// smtp/command: the command lines that a client says, the only way octets other than a body's leave.
//
// Built from parsed values, never from passed-through text, and checked once more: a line that
// holds an octet below 0x20, 0x7f, or without SMTPUTF8 one above, is a bug of ours and asserted,
// in every build. So no argument can smuggle a second command (R6; CVE-2015-9096 and its family).

#include "postrider/address.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace postrider::smtp {

/// Parameters of MAIL that the server has offered to understand (RFC 6152, RFC 6531).
struct mail_parameters {
    bool eight_bit_mime = false;
    bool smtputf8 = false;
};

/// The lines, without their CRLF.
std::string ehlo_line(std::string_view our_name);
std::string helo_line(std::string_view our_name);
std::string mail_line(const std::optional<address>& reverse_path, mail_parameters parameters);
std::string rcpt_line(const address& forward_path, bool smtputf8);

/// Appends `line` and CRLF to `out` after the check above; ends the program if it fails.
void append_command(std::string& out, std::string_view line, bool smtputf8 = false);

} // namespace postrider::smtp
