// SPDX-License-Identifier: MIT
#pragma once
// net/trust_anchor: one DS or DNSKEY record in zone file form, checked (RFC 4034 §2.2, §5.3).
//
// libunbound takes any text for a trust anchor and fails at the first look-up, with "initialization
// failure" and nothing else. This check comes before and says what is wrong with the record.

#include "postrider/result.hpp"

#include <optional>
#include <string_view>

namespace postrider::net {

/// Nothing if `record` is one record on one line: owner, then TTL and class where present, then DS
/// or DNSKEY and its data. Whether the digest or the key is anybody's is not looked at.
std::optional<problem> check_trust_anchor(std::string_view record);

} // namespace postrider::net
