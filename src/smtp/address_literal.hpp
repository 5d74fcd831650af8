// SPDX-License-Identifier: MIT
#pragma once
// smtp/address_literal: an address of a host in the place of its name (RFC 5321 §4.1.3).
//
// `[192.0.2.1]`, `[IPv6:2001:db8::1]`, and `[tag:text]` for what may come. The grammar of the RFC,
// with one narrowing: a decimal number has no leading zeros, as some read 010 as eight. Of the
// RFC too, and narrower than what most libraries take: `::` stands for two groups at least.

#include "postrider/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace postrider::smtp {

/// Reads a literal, brackets included, and gives it back in one form for equal addresses written
/// with other letters: `[IPv6:` with its digits in lower case; other tags stay as they are.
/// `offset` is where `text` begins in the whole input, for the problem.
result<std::string> parse_address_literal(std::string_view text, std::size_t offset = 0);

/// True for four decimal numbers to 255 with dots between them.
bool is_ipv4(std::string_view text) noexcept;

/// True for an IPv6 address in one of the four forms of RFC 5321 §4.1.3.
bool is_ipv6(std::string_view text) noexcept;

} // namespace postrider::smtp
