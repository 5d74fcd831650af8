// SPDX-License-Identifier: MIT
#pragma once
// dns/wire: the numbers of the wire format that its reader and its writer share (RFC 1035 §4.1).

#include <cstddef>
#include <cstdint>

namespace postrider::dns::wire {

constexpr std::uint16_t class_in = 1;
constexpr std::size_t header_octets = 12;
constexpr std::uint8_t pointer_mark = 0xc0;

constexpr std::uint16_t flag_response = 0x8000;
constexpr std::uint16_t flag_authoritative = 0x0400;
constexpr std::uint16_t flag_truncated = 0x0200;
constexpr std::uint16_t flag_recursion_desired = 0x0100;
constexpr std::uint16_t flag_recursion_available = 0x0080;
constexpr std::uint16_t flag_authentic = 0x0020;
constexpr std::uint16_t flag_checking_disabled = 0x0010;
constexpr std::uint32_t edns_flag_dnssec_ok = 0x8000;

} // namespace postrider::dns::wire
