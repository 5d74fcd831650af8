// SPDX-License-Identifier: MIT
#pragma once
// smtp/address: the mailbox of one person, as it stands in an envelope (RFC 5321 §4.1.2).
//
// Parsed into local part and domain and printed again from them, never passed through: CR, LF and
// NUL cannot be held, so no address can smuggle a command onto the wire. One address, no display
// name, no list, no source route. Local parts and domains may be UTF-8 (RFC 6531); a domain of
// U-labels is kept with its A-labels beside it (IDNA 2008, RFC 5891), so that only the local part
// decides whether SMTPUTF8 is needed.

#include "postrider/result.hpp"

#include <string>
#include <string_view>

namespace postrider {

class address {
public:
    /// Reads a Mailbox: `local@domain`, `"quoted local"@domain`, `local@[192.0.2.1]`,
    /// `local@[IPv6:2001:db8::1]`, `local@[tag:text]`. Angle brackets around it are not part of
    /// it. The limits of RFC 5321 §4.5.3.1 hold for the printed form: 64 octets, 255 octets, 254 in
    /// all. The domain is checked as by parse_domain().
    static result<address> parse(std::string_view text);

    /// As parse(), but throws std::invalid_argument with the problem's sentence.
    explicit address(std::string_view text);

    /// The local part's meaning: quotes and backslashes taken off. Compared exactly (§2.4).
    const std::string& local_part() const noexcept { return local_; }

    /// The domain as it was written, without a final dot: ASCII, U-labels, or a literal with its
    /// brackets.
    const std::string& domain() const noexcept { return domain_; }

    /// The domain for DNS and for servers without SMTPUTF8: lower case, A-labels; a literal is
    /// given with its brackets.
    const std::string& ascii_domain() const noexcept { return ascii_domain_; }

    bool has_literal() const noexcept { return domain_.front() == '['; } ///< a@[192.0.2.1]

    /// True if a server must offer SMTPUTF8 to be given this address: the local part is not ASCII.
    bool needs_smtputf8() const noexcept;

    /// For the wire and for people: the local part quoted where it must be, and the domain in
    /// A-labels; with `utf8` the domain as it was written. Never holds CR, LF or NUL.
    std::string to_string(bool utf8 = false) const;

    /// Equal local parts, and equal domains in A-labels.
    friend bool operator==(const address& a, const address& b) noexcept
    {
        return a.local_ == b.local_ && a.ascii_domain_ == b.ascii_domain_;
    }

private:
    address() = default;

    std::string local_;
    std::string domain_;
    std::string ascii_domain_;
};

/// Checks a name to say in EHLO, or a host: a domain (A-labels come back for U-labels) or an
/// address literal in brackets (RFC 5321 §2.3.5, §4.1.3). Returns its ASCII form. One label is
/// enough (localhost); underscores are accepted, against the RFC, as hosts that receive mail have
/// them; an IPv4 address without brackets is refused.
result<std::string> parse_domain(std::string_view text);

} // namespace postrider
