// SPDX-License-Identifier: MIT
#pragma once
// smtp/domain: where mail goes, as it stands behind the @ or is said in EHLO (RFC 5321 §2.3.5).
//
// A name of labels, or an address literal in brackets. Labels have letters, digits and hyphens, not
// at their ends; underscores too, against the RFC, because hosts that receive mail have them and
// delivering is the point. Labels that are not ASCII, and those that claim to stand for such, must
// be valid in IDNA 2008. An IPv4 address without brackets is refused: no top-level domain is a number,
// so it can only be a slip. So is a name of more than 253 octets or a label of more than 63.

#include "postrider/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace postrider::smtp {

struct domain {
    std::string written; ///< as it came, without a final dot
    std::string ascii;   ///< for DNS: lower case, A-labels; a literal in its one form
};

/// Reads the whole of `text`, which begins at `offset` of the input that problems speak of.
result<domain> parse_domain_at(std::string_view text, std::size_t offset);

} // namespace postrider::smtp
