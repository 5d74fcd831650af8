// SPDX-License-Identifier: MIT
#pragma once
// dns/message: DNS messages to and from the wire (RFC 1035 §4, EDNS: RFC 6891).
//
// parse_message() reads what a stranger sent: bounds are checked at every octet, compression
// pointers may only point backwards and are bounded, names keep their limits, counts that the
// octets do not bear out are a problem. Records of types that nobody here knows are kept as octets;
// records of a class other than IN are left out. What a message of 64 kB can make this allocate is
// bounded too: its names may have 65,535 labels together.

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
    friend bool operator==(const question&, const question&) = default;
};

struct message {
    std::uint16_t id = 0;
    std::uint8_t opcode = 0; ///< 0: a query
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
    std::optional<std::uint16_t> edns_size; ///< the OPT record's payload size, if there was one
    std::uint8_t edns_version = 0;          ///< its version
    bool dnssec_ok = false;                 ///< its DO bit
    friend bool operator==(const message&, const message&) = default;
};

/// Reads one whole message. The problem says where the octets stopped making sense. A question of
/// a class other than IN is a problem; a TTL above 2^31 - 1 reads as 0 (RFC 2181 §8).
result<message> parse_message(std::span<const std::uint8_t> octets);

/// To the wire, names compressed. If it would be longer than `size_max` octets, whole record sets are
/// left out, and the truncated flag is set unless only additional records had to go (RFC 2181 §9).
/// The OPT record stays. A code above 15 has no place without OPT and becomes SERVFAIL.
std::vector<std::uint8_t> serialize(const message& m, std::size_t size_max = 65535);

} // namespace postrider::dns
