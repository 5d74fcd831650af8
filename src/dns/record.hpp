// SPDX-License-Identifier: MIT
#pragma once
// dns/record: the record types that mail needs, as values (RFC 1035 §3.3, RFC 3596, RFC 6698).

#include "dns/name.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace postrider::dns {

/// The numbers of the registry; any other number may be cast to it.
enum class type : std::uint16_t {
    a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28, opt = 41, tlsa = 52, any = 255
};
std::string to_string(type t); ///< "MX"; "TYPE99" where there is no name

/// RFC 1035 §4.1.1, RFC 2136.
enum class rcode : std::uint16_t {
    no_error = 0, format_error = 1, server_failure = 2, name_error = 3, not_implemented = 4, refused = 5
};
std::string to_string(rcode r); ///< "NXDOMAIN", "SERVFAIL"; "RCODE9" where there is no name

struct a_data { std::array<std::uint8_t, 4> octets; };
struct aaaa_data { std::array<std::uint8_t, 16> octets; };
struct cname_data { name target; };
struct ns_data { name host; };
struct ptr_data { name target; };
struct mx_data { std::uint16_t preference; name exchanger; }; ///< "." as exchanger: null MX (RFC 7505)
struct txt_data { std::vector<std::string> strings; };
struct tlsa_data { std::uint8_t usage, selector, matching; std::vector<std::uint8_t> association; };
struct soa_data { name primary, mailbox; std::uint32_t serial, refresh, retry, expire, minimum; };
struct unknown_data { std::vector<std::uint8_t> octets; };

using record_data = std::variant<a_data, aaaa_data, cname_data, ns_data, ptr_data, mx_data, txt_data,
                                 tlsa_data, soa_data, unknown_data>;

struct record {
    name owner;
    type kind;
    std::uint32_t ttl; ///< seconds
    record_data data;
};

/// "192.0.2.1", and the form of RFC 5952: "2001:db8::1".
std::string to_string(const a_data& a);
std::string to_string(const aaaa_data& a);

} // namespace postrider::dns
