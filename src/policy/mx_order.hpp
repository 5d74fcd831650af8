// SPDX-License-Identifier: MIT
#pragma once
// policy/mx_order: which hosts take the mail of a domain, and in which order to try them.
//
// A machine without I/O: it asks a question, is told the answer, and asks the next, until it has
// found a route: at least one exchanger, or the trouble that kept it from having one.
//
//   mx_lookup lookup("example.org", options);
//   while (const auto question = lookup.next())
//       lookup.answered(<ask DNS>, random);
//   lookup.found()
//
// What it decides (RFC 5321 §5.1, RFC 7505, RFC 2308):
// - Lower preference numbers first, equal ones in random order.
// - No MX record at all: the domain itself, as implicit exchanger of preference 0. With one MX
//   record or more the domain's own addresses are never used, even if no exchanger can be.
// - Null MX alone: refused, 5.1.10. Beside others "." is a mistake and left out.
// - NXDOMAIN: refused, 5.1.2. Other codes, silence, and signatures that do not hold: deferred, 4.4.3.
// - An alias is followed as if its target had been given. A loop, or more than 8 links, is deferred,
//   4.4.4: the domain exists, somebody will repair it, and most resolvers call the same fault
//   SERVFAIL; who notices it must not decide whether mail bounces.
// - Exchangers that cannot be hosts (IP addresses written as names, spaces in them) are left out,
//   with a note. Nothing else left: refused, 5.4.4.
// - This host among the exchangers: it and all that are no better are left out, for they would send
//   the mail back to us. None left: refused, 5.4.6. The host is known by its name alone.
// - A domain that exists and has no MX: whether it has addresses is known when it is tried; without
//   any it is refused with 5.4.4 (unable to route) rather than 5.1.2 (RFC 3463: no such system).
// - Addresses that can be nobody's (0.0.0.0/8, multicast, IPv4 in IPv6 clothes) are left out: to
//   connect to 0.0.0.0 is to connect to ourselves. Loopback addresses are not: a sandbox has them.
//
// The trust of an exchanger is the worst of the answers that led to it, for DANE (RFC 7672 §2.2).

#include "dns/answer.hpp"
#include "dns/message.hpp" // question
#include "policy/failure.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::policy {

/// A host that may be given the mail of a domain.
struct exchanger {
    std::string host;             ///< lower case, without final dot; or an IP address, without brackets
    bool literal = false;         ///< it is an address: there is nothing to look up
    std::uint16_t preference = 0; ///< lower is better
    bool implicit = false;        ///< the domain itself, which has no MX
    dns::security trust = dns::security::insecure;
    bool given = false; ///< named by who wants to connect: no mail exchanger of a domain
};

struct route {
    std::vector<exchanger> exchangers; ///< in the order of trying; empty if and only if there is trouble
    std::optional<policy::trouble> trouble;
    std::vector<std::string> notes; ///< what was wrong and could be passed over; at most 10 sentences
};

/// A random number below `bound`, which is at least 1.
using random_below = std::function<std::uint32_t(std::uint32_t bound)>;

struct mx_options {
    std::string own_name;             ///< this host, if it must not send to itself; may be empty
    std::size_t exchangers_max = 100; ///< the best ones are kept
    std::size_t aliases_max = 8;
};

class mx_lookup {
public:
    /// `domain` in ASCII, or an address literal in its brackets: address::ascii_domain().
    explicit mx_lookup(std::string_view domain, mx_options options = {});

    /// What to ask now; nothing when the route is found.
    std::optional<dns::question> next() const;

    /// The answer to next(), which must have a question.
    void answered(const dns::answer& answer, const random_below& random);

    /// Empty until next() has no question.
    const route& found() const noexcept { return route_; }

private:
    void take_literal(std::string_view text);
    bool follow_aliases(const std::vector<dns::record>& records);
    void take_exchangers(const std::vector<dns::record>& records, const random_below& random);
    std::vector<exchanger> usable_exchangers(const std::vector<dns::record>& records, bool& null_mx);
    void leave_out_ourselves(std::vector<exchanger>& all) const;
    void take_implicit();
    void settle(verdict what, enhanced_code status, std::string sentence);
    void note(std::string sentence);
    std::string whose() const;

    mx_options options_;
    std::string domain_;             // as given, escaped: for sentences
    std::vector<dns::name> visited_; // the domain, and the aliases' targets; the last is asked for
    dns::security trust_ = dns::security::secure;
    std::string asked_; // who answered last
    route route_;
    bool done_ = false;
};

/// The addresses of one exchanger, as text, in the order of trying; or why there are none.
struct host_addresses {
    std::vector<std::string> addresses;
    std::optional<policy::trouble> trouble;
    dns::security trust = dns::security::insecure; ///< the worst of the answers that were used
};

/// From the answers for AAAA and A; for an address literal they are not looked at. One family that
/// failed does not matter if the other has addresses. Aliases inside the answers are followed,
/// though RFC 2181 §10.3 forbids them there. At most 32 addresses are kept.
host_addresses decide_addresses(const exchanger& host, const dns::answer& aaaa, const dns::answer& a);

/// IPv6 and IPv4 in turn, IPv6 first (RFC 8305 §4).
std::vector<std::string> interleave(const std::vector<std::string>& v6, const std::vector<std::string>& v4);

} // namespace postrider::policy
