// SPDX-License-Identifier: MIT
#pragma once
// smtp/extensions: the reply to EHLO as a value: what this server, on this connection, offers.
//
// Forgiving in reading, as RFC 5321 §4.1.1.1 and the field ask: keywords in any case, odd spacing,
// the old `AUTH=` form, duplicates merged. Keywords that nobody here knows are kept with their
// parameters. A new TLS layer makes a new value; nothing is carried over (RFC 3207 §4.2).

#include "postrider/reply.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::smtp {

/// One line of the reply: a keyword in upper case and its parameters as they came. Both are
/// foreign text, to be escaped before they are shown.
struct extension {
    std::string keyword;
    std::vector<std::string> parameters;
};

class extensions {
public:
    extensions() = default; ///< nothing offered: what HELO gives

    /// From a positive reply to EHLO; nothing from any other. The first line is the greeting, not a
    /// keyword. A keyword on several lines has the parameters of all, in order.
    static extensions from_reply(const reply& ehlo);

    bool offers(std::string_view keyword) const noexcept; ///< in any case
    const extension* find(std::string_view keyword) const noexcept;
    const std::vector<extension>& all() const noexcept { return all_; }

    bool pipelining() const noexcept { return offers("PIPELINING"); }
    bool eight_bit_mime() const noexcept { return offers("8BITMIME"); }
    bool smtputf8() const noexcept { return offers("SMTPUTF8"); }
    bool starttls() const noexcept { return offers("STARTTLS"); }
    bool dsn() const noexcept { return offers("DSN"); }
    bool chunking() const noexcept { return offers("CHUNKING"); }
    bool enhanced_status_codes() const noexcept { return offers("ENHANCEDSTATUSCODES"); }

    /// The largest message the server says it takes, in octets (RFC 1870 §3): nothing if SIZE is
    /// not offered, or without a number, or with 0; a number too large for 64 bits is the largest.
    std::optional<std::uint64_t> size_max() const noexcept;

    /// SASL mechanisms of `AUTH` and `AUTH=` lines, in upper case, in order, each once; words that
    /// cannot name one (RFC 4422 §3.1) are left out.
    std::vector<std::string> auth_mechanisms() const;

private:
    std::vector<extension> all_;
};

} // namespace postrider::smtp
