// SPDX-License-Identifier: MIT
// sandbox/zone: what may stand together, and the answers (RFC 1034 §4.3.2, RFC 2308, RFC 4592).

#include "sandbox/zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace postrider::sandbox {
namespace {

constexpr int aliases_max = 16;
constexpr std::uint16_t edns_size = 1232;
constexpr auto bad_version = static_cast<dns::rcode>(16); // RFC 6891 §9

// How long a "no" may be kept: briefly, for whoever edits the zone waits for it.
constexpr std::uint32_t negative_ttl = 5;

bool is_transfer(dns::type kind) noexcept
{
    const auto number = static_cast<unsigned>(kind);
    return number == 251 || number == 252; // IXFR, AXFR
}

/// Who is responsible for all that is not there. The names are in no DNS (RFC 6761 §6.4).
const dns::record& start_of_authority()
{
    static const dns::record soa{dns::name{}, dns::type::soa, negative_ttl,
                                 dns::soa_data{dns::name::parse("sandbox.invalid").value(),
                                               dns::name::parse("postmaster.sandbox.invalid").value(), 1,
                                               3600, 600, 86400, negative_ttl}};
    return soa;
}

void say_no(dns::message& reply, dns::rcode code)
{
    reply.code = code;
    reply.authorities.push_back(start_of_authority());
}

dns::rcode code_of(dns_behaviour b) noexcept
{
    switch (b) {
    case dns_behaviour::refused: return dns::rcode::refused;
    case dns_behaviour::not_implemented: return dns::rcode::not_implemented;
    case dns_behaviour::name_error: return dns::rcode::name_error;
    case dns_behaviour::server_failure:
    case dns_behaviour::silent: break;
    }
    return dns::rcode::server_failure;
}

void behave(dns::message& reply, dns_behaviour b)
{
    const auto code = code_of(b);
    if (code == dns::rcode::name_error) {
        say_no(reply, code); // an alias on the way stays (RFC 2308 §2.1)
        return;
    }
    reply.answers.clear();
    reply.authoritative = false;
    reply.code = code;
}

dns::message reply_without_answer(const dns::message& query)
{
    dns::message reply;
    reply.id = query.id;
    reply.opcode = query.opcode;
    reply.response = reply.authoritative = true;
    reply.recursion_desired = query.recursion_desired;
    reply.recursion_available = true; // what exists is here, so it is
    reply.questions = query.questions;
    if (query.edns_size) {
        reply.edns_size = edns_size;
        reply.dnssec_ok = query.dnssec_ok;
    }
    return reply;
}

bool is_alias(const dns::record& r) noexcept { return r.kind == dns::type::cname; }

} // namespace

std::optional<problem> zone::add(dns::record what)
{
    auto& here = nodes_[what.owner];
    const bool known = std::any_of(here.records.begin(), here.records.end(), [&what](const dns::record& r) {
        return r.kind == what.kind && r.data == what.data;
    });
    if (known)
        return std::nullopt;
    if (here.behaviour || here.behaviours.contains(what.kind))
        return problem{fmt::format("{} has a behaviour already, and cannot have data beside it",
                                   what.owner.to_string())};
    const bool alias_here = std::any_of(here.records.begin(), here.records.end(), is_alias);
    if (alias_here || (is_alias(what) && (!here.records.empty() || !here.behaviours.empty())))
        return problem{
            fmt::format("{} is an alias (CNAME), and cannot have anything else", what.owner.to_string())};
    here.records.push_back(std::move(what));
    return std::nullopt;
}

std::optional<problem> zone::add(const dns::name& owner, std::optional<dns::type> kind, dns_behaviour what)
{
    auto& here = nodes_[owner];
    const bool has_data = std::any_of(here.records.begin(), here.records.end(), [kind](const dns::record& r) {
        return !kind || r.kind == *kind || is_alias(r);
    });
    if (has_data)
        return problem{
            fmt::format("{} has data already, and cannot have a behaviour beside it", owner.to_string())};
    if (here.behaviour || (kind ? here.behaviours.contains(*kind) : !here.behaviours.empty()))
        return problem{fmt::format("{} has a behaviour already", owner.to_string())};
    if (kind)
        here.behaviours.emplace(*kind, what);
    else
        here.behaviour = what;
    return std::nullopt;
}

std::vector<dns::record> zone::records() const
{
    std::vector<dns::record> all;
    for (const auto& [owner, here] : nodes_)
        all.insert(all.end(), here.records.begin(), here.records.end());
    return all;
}

std::optional<dns::message> zone::reply_to(const dns::message& query) const
{
    if (query.response)
        return std::nullopt; // or two servers could keep each other busy for ever
    auto reply = reply_without_answer(query);
    if (query.edns_version > 0)
        reply.code = bad_version;
    else if (query.opcode != 0)
        reply.code = dns::rcode::not_implemented;
    else if (query.questions.size() != 1)
        reply.code = dns::rcode::format_error;
    else if (is_transfer(query.questions[0].kind))
        reply.code = dns::rcode::refused;
    else if (!resolve(query.questions[0], reply))
        return std::nullopt;
    return reply;
}

/// Fills in the answer to one question; false: keep silent.
bool zone::resolve(const dns::question& asked, dns::message& reply) const
{
    dns::name owner = asked.owner;
    for (int links = 0; links <= aliases_max; ++links) {
        const node* here = find(owner);
        if (here == nullptr) {
            say_no(reply, exists(owner) ? dns::rcode::no_error : dns::rcode::name_error);
            return true;
        }
        const auto special = here->behaviours.find(asked.kind);
        const auto behaviour = special != here->behaviours.end() ? std::optional(special->second)
                                                                 : here->behaviour;
        if (behaviour == dns_behaviour::silent)
            return false;
        if (behaviour) {
            behave(reply, *behaviour);
            return true;
        }

        std::optional<dns::name> target;
        const std::size_t before = reply.answers.size();
        for (const auto& r : here->records) {
            const bool wanted = r.kind == asked.kind || asked.kind == dns::type::any;
            if (!wanted && !is_alias(r))
                continue;
            reply.answers.push_back(r);
            reply.answers.back().owner = owner; // in the case it was asked for, and not the wildcard's
            if (!wanted)
                target = std::get<dns::cname_data>(r.data).target;
        }
        if (reply.answers.size() == before)
            say_no(reply, dns::rcode::no_error);
        if (!target)
            return true;
        owner = *std::move(target);
    }
    return true; // as far as the links go; the resolver must find the end, or the circle
}

/// What there is for this name: its own, or that of the wildcard at the closest name above that
/// exists (RFC 4592 §3.3.1).
const zone::node* zone::find(const dns::name& owner) const
{
    const auto own = nodes_.find(owner);
    if (own != nodes_.end())
        return &own->second;
    if (exists(owner))
        return nullptr;
    auto above = owner;
    do {
        const auto& labels = above.labels();
        above = dns::name::from_labels({labels.begin() + 1, labels.end()}).value();
    } while (!exists(above));
    auto labels = above.labels();
    labels.insert(labels.begin(), "*");
    const auto wildcard = dns::name::from_labels(std::move(labels));
    const auto found = wildcard ? nodes_.find(*wildcard) : nodes_.end();
    return found == nodes_.end() ? nullptr : &found->second;
}

/// True if the name, or any name below it, has something. The root exists in any case.
bool zone::exists(const dns::name& owner) const
{
    const auto next = nodes_.lower_bound(owner);
    return owner.is_root() || (next != nodes_.end() && next->first.is_within(owner));
}

} // namespace postrider::sandbox
