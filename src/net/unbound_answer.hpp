// SPDX-License-Identifier: MIT
#pragma once
// net/unbound_answer: what libunbound hands to its callback, as a dns::answer.
//
// The packet is libunbound's own, yet what stands in it came from strangers: it is read by our
// parser. Signatures are left out, as they have done their work. What is bogus is left out too:
// nobody can use by mistake what is not there.

#include "dns/answer.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace postrider::net {

/// The arguments of libunbound's callback (ub_event_callback_type).
struct unbound_reply {
    int code;                             ///< not 0: the look-up failed, and there is no packet to read
    std::span<const std::uint8_t> packet; ///< wire format
    int security;                         ///< 0 insecure, 1 bogus, 2 secure
    std::string_view why_bogus;
};

/// The answer to a question for records of type `kind`; `asked` is left empty. `ttl` is the least
/// of the records', and for a "no" what RFC 2308 §5 makes of the SOA record.
dns::answer read_unbound_reply(const unbound_reply& reply, dns::type kind);

} // namespace postrider::net
