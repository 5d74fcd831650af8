// SPDX-License-Identifier: MIT
#pragma once
// dns/record: the record types that mail needs, as values (RFC 1035 §3.3, RFC 3596, RFC 6698).

#include "dns/name.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postrider::dns {

/// The numbers of the registry; any other number may be cast to it.
enum class type : std::uint16_t { // clang-format off
    a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28, opt = 41, tlsa = 52, any = 255
};                             // clang-format on
std::string to_string(type t); ///< "MX"; "TYPE99" where there is no name

/// RFC 1035 §4.1.1, RFC 2136.
enum class rcode : std::uint16_t { // clang-format off
    no_error = 0, format_error = 1, server_failure = 2, name_error = 3, not_implemented = 4, refused = 5
};                              // clang-format on
std::string to_string(rcode r); ///< "NXDOMAIN", "SERVFAIL"; "RCODE9" where there is no name

struct a_data {
    std::array<std::uint8_t, 4> octets;
    friend bool operator==(const a_data&, const a_data&) = default;
};
struct aaaa_data {
    std::array<std::uint8_t, 16> octets;
    friend bool operator==(const aaaa_data&, const aaaa_data&) = default;
};
struct cname_data {
    name target;
    friend bool operator==(const cname_data&, const cname_data&) = default;
};
struct ns_data {
    name host;
    friend bool operator==(const ns_data&, const ns_data&) = default;
};
struct ptr_data {
    name target;
    friend bool operator==(const ptr_data&, const ptr_data&) = default;
};
struct mx_data {
    std::uint16_t preference;
    name exchanger; ///< ".": null MX (RFC 7505)
    friend bool operator==(const mx_data&, const mx_data&) = default;
};
struct txt_data {
    std::vector<std::string> strings; ///< at least one, each at most 255 octets
    friend bool operator==(const txt_data&, const txt_data&) = default;
};
struct tlsa_data {
    std::uint8_t usage, selector, matching;
    std::vector<std::uint8_t> association;
    friend bool operator==(const tlsa_data&, const tlsa_data&) = default;
};
struct soa_data {
    name primary, mailbox;
    std::uint32_t serial, refresh, retry, expire, minimum;
    friend bool operator==(const soa_data&, const soa_data&) = default;
};
struct unknown_data {
    std::vector<std::uint8_t> octets;
    friend bool operator==(const unknown_data&, const unknown_data&) = default;
};

using record_data = std::variant<a_data, aaaa_data, cname_data, ns_data, ptr_data, mx_data, txt_data,
                                 tlsa_data, soa_data, unknown_data>;

struct record {
    name owner;
    type kind;
    std::uint32_t ttl; ///< seconds
    record_data data;
    friend bool operator==(const record&, const record&) = default;
};

/// "192.0.2.1", and the form of RFC 5952: "2001:db8::1".
std::string to_string(const a_data& a);
std::string to_string(const aaaa_data& a);

/// Four decimal numbers, without leading zeros: "192.0.2.1".
result<a_data> parse_a(std::string_view text);

/// The forms of RFC 4291 §2.2, without a zone: "2001:db8::1", "::ffff:192.0.2.1".
result<aaaa_data> parse_aaaa(std::string_view text);

} // namespace postrider::dns
