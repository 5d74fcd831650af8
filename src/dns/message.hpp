// SPDX-License-Identifier: MIT
#pragma once
// dns/message: DNS messages to and from the wire (RFC 1035 §4, EDNS: RFC 6891).
//
// parse_message() reads what a stranger sent: bounds are checked at every octet, compression
// pointers may only point backwards and are bounded, names keep their limits, counts that the
// octets do not bear out are a problem. Records of types that nobody here knows are kept as octets.

#include "dns/record.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace postrider::dns {

struct question {
    name owner;
    type kind;
};

struct message {
    std::uint16_t id = 0;
    bool response = false;
    bool authoritative = false;
    bool truncated = false;
    bool recursion_desired = false;
    bool recursion_available = false;
    bool authentic = false;         ///< AD
    bool checking_disabled = false; ///< CD
    rcode code = rcode::no_error;
    std::vector<question> questions;
    std::vector<record> answers, authorities, additionals; ///< without OPT
    std::optional<std::uint16_t> edns_size;                ///< the OPT record's payload size, if there was one
    bool dnssec_ok = false;                                ///< its DO bit
};

result<message> parse_message(std::span<const std::uint8_t> octets);

/// To the wire, names compressed. If it would be longer than `size_max` octets, records are left
/// out and the truncated flag is set (RFC 2181 §9).
std::vector<std::uint8_t> serialize(const message& m, std::size_t size_max = 65535);

} // namespace postrider::dns
