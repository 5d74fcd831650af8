// SPDX-License-Identifier: MIT
#pragma once
// smtp/command_parser: what a client's command line says, as values.
//
// Strict where leniency could be abused (control characters, parameters, paths), lenient where the
// field is sloppy and no harm can come of it: the case of verbs and keywords, spaces at the end of a
// line, spaces between "FROM:" and the path. Whether a command may stand where it stands, and
// whether a parameter is on offer, is for the session to say.
//
// RFC 5321 §4.1.1 (commands), §4.1.2 (paths and parameters), appendix C (source routes are ignored).

#include "postrider/address.hpp"
#include "postrider/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::smtp {

enum class command_name {
    helo,
    ehlo,
    mail,
    rcpt,
    data,
    rset,
    noop,
    quit,
    vrfy,
    expn,
    help,
    starttls,
    auth,
    bdat,
    http, ///< a request line of another protocol, sent here by a trick (ALPACA)
    unknown,
};

struct command {
    command_name what = command_name::unknown;
    std::string_view argument; ///< without spaces at either end; points into the line
};

/// Splits a line, given without its CRLF, into verb and argument. A line with a control character
/// in it is `unknown`.
command parse_command(std::string_view line);

/// One ESMTP parameter of MAIL or RCPT.
struct parameter {
    std::string keyword;              ///< upper case
    std::optional<std::string> value; ///< what stood behind "=", never empty
    std::string text;                 ///< both, as they came
};

/// What stands behind "FROM:" or "TO:".
struct path {
    /// Nobody: the null reverse-path `<>`, or as a forward-path `<postmaster>`, the only mailbox
    /// that needs no domain (RFC 5321 §4.5.1).
    std::optional<address> mailbox;
    std::vector<parameter> parameters; ///< each keyword once
    bool eight_bit = false;            ///< the path or a parameter holds octets above 0x7f (RFC 6531)
};

/// Reads the argument of MAIL, "FROM:<path> parameters", or of RCPT, "TO:<path> parameters".
result<path> parse_mail(std::string_view argument);
result<path> parse_rcpt(std::string_view argument);

/// The value of SIZE: 1 to 20 digits (RFC 1870 §6); beyond 64 bits it is the largest number.
std::optional<std::uint64_t> parse_size(std::string_view digits) noexcept;

} // namespace postrider::smtp
