// SPDX-License-Identifier: MIT
#pragma once
// dns/answer: what a resolver found out about one question, with how far it can be trusted.

#include "dns/record.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace postrider::dns {

enum class security {
    insecure, ///< not signed, or not below a trust anchor: ordinary DNS
    secure,   ///< validated up to a trust anchor (RFC 4035)
    bogus,    ///< signed, and the signatures do not hold: nothing in it may be used
};

enum class lookup_status {
    answered,    ///< a server answered: see code
    timed_out,   ///< no answer came in time
    unreachable, ///< the resolver could not ask anybody, or failed by itself
    cancelled,
};

struct answer {
    lookup_status status = lookup_status::answered;
    rcode code = rcode::no_error;
    security trust = security::insecure;
    std::vector<record> records; ///< the answer section, CNAMEs on the way included
    std::chrono::seconds ttl{0}; ///< how long all of this may be kept
    std::string why;             ///< for bogus, unreachable: the reason, in words, escaped
    std::string asked;           ///< whom: "127.0.0.1:5353", or "the root servers"
};

} // namespace postrider::dns
