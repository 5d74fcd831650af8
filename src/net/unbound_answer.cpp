// SPDX-License-Identifier: MIT
// net/unbound_answer: packet and verdict of libunbound, read with mistrust.

#include "net/unbound_answer.hpp"

#include "base/text.hpp"
#include "dns/message.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

namespace postrider::net {

namespace {

constexpr int bogus = 1;
constexpr int secure = 2;

// Signatures (RFC 4034 §3) come because libunbound asks for them to validate.
constexpr auto rrsig = static_cast<dns::type>(46);

dns::answer failure(dns::rcode code, std::string why)
{
    dns::answer a;
    a.code = code;
    a.why = std::move(why);
    return a;
}

dns::answer bogus_answer(std::string_view why)
{
    // Not the code of the packet: "no error" and no records would read as "there are none".
    dns::answer a = failure(dns::rcode::server_failure, base::escaped(why));
    a.trust = dns::security::bogus;
    return a;
}

bool answers(const dns::record& r, dns::type kind)
{
    if (kind == dns::type::any) {
        return r.kind != rrsig;
    }
    return r.kind == kind || r.kind == dns::type::cname;
}

/// For how long "no such name" and "no such record" may be kept (RFC 2308 §5): not at all without
/// an SOA record.
std::uint32_t negative_ttl(const std::vector<dns::record>& authorities)
{
    for (const dns::record& r : authorities) {
        if (const auto* soa = std::get_if<dns::soa_data>(&r.data)) {
            return std::min(r.ttl, soa->minimum);
        }
    }
    return 0;
}

std::chrono::seconds shortest_ttl(const dns::answer& a, dns::type kind,
                                  const std::vector<dns::record>& authorities)
{
    std::uint32_t least = std::numeric_limits<std::uint32_t>::max();
    bool found = false;
    for (const dns::record& r : a.records) {
        least = std::min(least, r.ttl);
        found = found || r.kind == kind || kind == dns::type::any;
    }
    // A chain of CNAMEs that ends at nothing may be kept only as long as the nothing.
    return std::chrono::seconds(found ? least : std::min(least, negative_ttl(authorities)));
}

} // namespace

dns::answer read_unbound_reply(const unbound_reply& reply, dns::type kind)
{
    if (reply.security == bogus) {
        return bogus_answer(reply.why_bogus);
    }
    if (reply.code != 0) {
        return failure(static_cast<dns::rcode>(reply.code), "no server could be reached that answers this");
    }
    auto message = dns::parse_message(reply.packet);
    if (!message) {
        dns::answer a =
            failure(dns::rcode::server_failure, "the answer cannot be read: " + message.problem().what);
        a.status = dns::lookup_status::unreachable;
        return a;
    }
    dns::answer a;
    a.code = message->code;
    a.trust = reply.security == secure ? dns::security::secure : dns::security::insecure;
    for (dns::record& r : message->answers) {
        if (answers(r, kind)) {
            a.records.push_back(std::move(r));
        }
    }
    a.ttl = shortest_ttl(a, kind, message->authorities);
    return a;
}

} // namespace postrider::net
