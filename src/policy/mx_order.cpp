// SPDX-License-Identifier: MIT
// policy/mx_order: from answers to exchangers, and from exchangers to addresses.

#include "policy/mx_order.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <map>
#include <span>
#include <utility>

namespace postrider::policy {
namespace {

constexpr std::size_t notes_max = 10;
constexpr std::size_t addresses_max = 32;
constexpr std::size_t host_aliases_max = 16;

constexpr enhanced_code no_such_domain{5, 1, 2};
constexpr enhanced_code null_mx_status{5, 1, 10};
constexpr enhanced_code unable_to_route{5, 4, 4};
constexpr enhanced_code unable_to_route_now{4, 4, 4};
constexpr enhanced_code routing_loop{5, 4, 6};

dns::security worse(dns::security a, dns::security b) noexcept
{
    if (a == dns::security::bogus || b == dns::security::bogus)
        return dns::security::bogus;
    return a == dns::security::secure && b == dns::security::secure ? dns::security::secure
                                                                    : dns::security::insecure;
}

/// The data of the record of `owner` that holds a `Data`, the first if there are several.
template <class Data>
const Data* find_data(const std::vector<dns::record>& records, const dns::name& owner)
{
    for (const auto& r : records) {
        if (!(r.owner == owner))
            continue;
        if (const auto* data = std::get_if<Data>(&r.data))
            return data;
    }
    return nullptr;
}

bool is_host_octet(char c) noexcept
{
    // The underscore is no letter of a host name, and is seen in exchangers that work.
    return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '_';
}

/// Why a name from DNS cannot be a host; empty if it can.
std::string_view host_problem(const dns::name& name, const std::string& text)
{
    if (dns::parse_a(text) || dns::parse_aaaa(text))
        return "which is an IP address where the name of a host must stand";
    for (const auto& label : name.labels())
        if (!std::all_of(label.begin(), label.end(), is_host_octet))
            return "which cannot be the name of a host";
    return {};
}

bool is_unusable(const dns::a_data& a) noexcept
{
    return a.octets[0] == 0 || a.octets[0] >= 224; // "this network"; multicast, reserved, broadcast
}

bool is_unusable(const dns::aaaa_data& a) noexcept
{
    const auto& o = a.octets;
    const bool starts_with_zeros =
        std::all_of(o.begin(), o.begin() + 10, [](auto octet) { return octet == 0; });
    const bool unspecified = std::all_of(o.begin(), o.end(), [](auto octet) { return octet == 0; });
    return o[0] == 0xff || unspecified || (starts_with_zeros && o[10] == 0xff && o[11] == 0xff);
}

bool is_better(const exchanger& a, const exchanger& b) noexcept { return a.preference < b.preference; }

/// Fisher and Yates.
void shuffle(std::span<exchanger> items, const random_below& random)
{
    for (std::size_t left = items.size(); left > 1; --left) {
        const std::size_t drawn = random(static_cast<std::uint32_t>(left)) % left;
        std::swap(items[left - 1], items[drawn]);
    }
}

void put_in_order(std::vector<exchanger>& all, const random_below& random)
{
    std::sort(all.begin(), all.end(), is_better);
    for (auto first = all.begin(); first != all.end();) {
        const auto end = std::upper_bound(first, all.end(), *first, is_better);
        shuffle({first, end}, random);
        first = end;
    }
}

} // namespace

mx_lookup::mx_lookup(std::string_view domain, mx_options options)
    : options_(std::move(options)), domain_(base::escaped(domain, 300))
{
    if (!domain.empty() && domain.front() == '[') {
        take_literal(domain);
        return;
    }
    auto name = dns::name::parse(domain);
    if (!name || name->is_root()) {
        settle(verdict::refused, no_such_domain, fmt::format("\"{}\" is not the name of a domain", domain_));
        return;
    }
    visited_.push_back(*std::move(name));
}

std::optional<dns::question> mx_lookup::next() const
{
    if (done_)
        return std::nullopt;
    return dns::question{visited_.back(), dns::type::mx};
}

void mx_lookup::answered(const dns::answer& answer, const random_below& random)
{
    assert(!done_);
    asked_ = answer.asked.empty() ? "the resolver" : base::escaped(answer.asked, 128);
    if (const auto trouble = decide_lookup("the mail exchangers of " + whose(), answer)) {
        settle(trouble->verdict, trouble->status, trouble->sentence);
        return;
    }
    trust_ = worse(trust_, answer.trust);
    const std::size_t links = visited_.size();
    if (!follow_aliases(answer.records))
        return;
    if (find_data<dns::mx_data>(answer.records, visited_.back()) != nullptr)
        take_exchangers(answer.records, random);
    else if (visited_.size() == links)
        take_implicit();
    // Else the answer ended in an alias. Whether its target has no MX, or the server only did not
    // know it, cannot be seen here; next() asks about the target itself.
}

bool mx_lookup::follow_aliases(const std::vector<dns::record>& records)
{
    while (find_data<dns::mx_data>(records, visited_.back()) == nullptr) {
        const auto* alias = find_data<dns::cname_data>(records, visited_.back());
        if (alias == nullptr)
            return true;
        const bool loop = std::find(visited_.begin(), visited_.end(), alias->target) != visited_.end();
        if (loop || visited_.size() > options_.aliases_max) {
            settle(verdict::deferred, unable_to_route_now,
                   fmt::format("looking up the mail exchangers of {}: {} ({})", domain_,
                               loop ? "its aliases (CNAME) go round in a circle"
                                    : fmt::format("more than {} aliases (CNAME) one behind the other",
                                                  options_.aliases_max),
                               asked_));
            return false;
        }
        visited_.push_back(alias->target);
    }
    return true;
}

void mx_lookup::take_exchangers(const std::vector<dns::record>& records, const random_below& random)
{
    bool null_mx = false;
    auto all = usable_exchangers(records, null_mx);
    if (all.empty()) {
        if (null_mx && route_.notes.empty())
            settle(verdict::refused, null_mx_status,
                   fmt::format("{} takes no mail: it has a null MX ({})", whose(), asked_));
        else
            settle(verdict::refused, unable_to_route,
                   fmt::format("none of the mail exchangers of {} can be a host ({})", whose(), asked_));
        return;
    }
    if (null_mx)
        note(fmt::format("{} has a null MX beside others, which means nothing", whose()));

    put_in_order(all, random);
    leave_out_ourselves(all);
    if (all.empty()) {
        settle(verdict::refused, routing_loop,
               fmt::format(
                   "mail for {} would loop: this host ({}) is its best mail exchanger, and does not take it",
                   whose(), options_.own_name));
        return;
    }
    if (all.size() > options_.exchangers_max) {
        note(fmt::format("{} has {}, of which the best {} are used", whose(),
                         base::counted(all.size(), "mail exchanger"), options_.exchangers_max));
        all.resize(options_.exchangers_max);
    }
    route_.exchangers = std::move(all);
    done_ = true;
}

/// Duplicates merged into the better one.
std::vector<exchanger> mx_lookup::usable_exchangers(const std::vector<dns::record>& records, bool& null_mx)
{
    std::map<dns::name, std::uint16_t> best;
    for (const auto& r : records) {
        const auto* mx = std::get_if<dns::mx_data>(&r.data);
        if (mx == nullptr || !(r.owner == visited_.back()))
            continue;
        const auto [known, added] = best.emplace(mx->exchanger, mx->preference);
        if (!added)
            known->second = std::min(known->second, mx->preference);
    }
    null_mx = best.erase(dns::name{}) != 0;

    std::vector<exchanger> usable;
    for (const auto& [name, preference] : best) {
        const std::string text = base::lower(name.to_string());
        const auto problem = host_problem(name, text);
        if (problem.empty())
            usable.push_back({text, false, preference, false, trust_});
        else
            note(fmt::format("{} has the mail exchanger {}, {}", whose(), text, problem));
    }
    return usable;
}

void mx_lookup::leave_out_ourselves(std::vector<exchanger>& all) const
{
    const auto ourselves = std::find_if(all.begin(), all.end(), [this](const exchanger& e) {
        return base::equal_ignoring_case(e.host, options_.own_name);
    });
    if (ourselves == all.end())
        return;
    const auto limit = ourselves->preference;
    std::erase_if(all, [limit](const exchanger& e) { return e.preference >= limit; });
}

void mx_lookup::take_implicit()
{
    const auto& name = visited_.back();
    const std::string text = base::lower(name.to_string());
    if (!host_problem(name, text).empty()) {
        settle(verdict::refused, no_such_domain, fmt::format("{} cannot be the name of a host", whose()));
        return;
    }
    std::vector<exchanger> all{{text, false, 0, true, trust_}};
    leave_out_ourselves(all);
    if (all.empty()) {
        settle(verdict::refused, routing_loop,
               fmt::format("mail for {} would loop: it is this host, and does not take it", whose()));
        return;
    }
    route_.exchangers = std::move(all);
    done_ = true;
}

// RFC 5321 §4.1.3. General address literals name networks that nobody here can reach.
void mx_lookup::take_literal(std::string_view text)
{
    constexpr std::string_view tag = "IPv6:";
    const bool closed = text.size() > 2 && text.back() == ']';
    const std::string_view inside = closed ? text.substr(1, text.size() - 2) : std::string_view{};
    std::string address;
    if (base::equal_ignoring_case(inside.substr(0, tag.size()), tag)) {
        if (const auto v6 = dns::parse_aaaa(inside.substr(tag.size())); v6 && !is_unusable(*v6))
            address = dns::to_string(*v6);
    } else if (const auto v4 = dns::parse_a(inside); v4 && !is_unusable(*v4)) {
        address = dns::to_string(*v4);
    }
    if (address.empty()) {
        settle(verdict::refused, no_such_domain,
               fmt::format("{} is not the address of a host that can be reached", domain_));
        return;
    }
    route_.exchangers.push_back({std::move(address), true, 0, false, dns::security::insecure});
    done_ = true;
}

void mx_lookup::settle(verdict what, enhanced_code status, std::string sentence)
{
    route_.trouble = trouble{what, status, std::move(sentence)};
    done_ = true;
}

void mx_lookup::note(std::string sentence)
{
    if (route_.notes.size() < notes_max)
        route_.notes.push_back(std::move(sentence));
}

/// "example.org", or "example.org (an alias of example.net)".
std::string mx_lookup::whose() const
{
    if (visited_.size() < 2)
        return domain_;
    return fmt::format("{} (an alias of {})", domain_, visited_.back().to_string());
}

namespace {

/// One family's part of an exchanger's addresses.
struct family {
    std::vector<std::string> addresses;
    std::optional<policy::trouble> trouble; ///< the look-up failed
    bool unusable = false;                  ///< there were addresses, and none of them anybody's
};

/// The owner at the end of the aliases in an answer, or nothing if there are too many or no end.
std::optional<dns::name> end_of_aliases(const std::vector<dns::record>& records, dns::name owner)
{
    for (std::size_t links = 0; links <= host_aliases_max; ++links) {
        const auto* alias = find_data<dns::cname_data>(records, owner);
        if (alias == nullptr)
            return owner;
        owner = alias->target;
    }
    return std::nullopt;
}

template <class Data>
family decide_family(const exchanger& host, const dns::answer& answer, std::string_view kind)
{
    family found;
    found.trouble = decide_lookup(fmt::format("the {} addresses of {}", kind, host.host), answer);
    const auto name = dns::name::parse(host.host);
    if (found.trouble || !name)
        return found;
    const auto owner = end_of_aliases(answer.records, *name);
    if (!owner) {
        found.trouble =
            trouble{verdict::deferred, unable_to_route_now,
                    fmt::format("looking up the {} addresses of {}: its aliases (CNAME) do not end", kind,
                                host.host)};
        return found;
    }
    for (const auto& r : answer.records) {
        const auto* data = std::get_if<Data>(&r.data);
        if (data == nullptr || !(r.owner == *owner))
            continue;
        if (is_unusable(*data))
            found.unusable = true;
        else if (found.addresses.size() < addresses_max)
            found.addresses.push_back(dns::to_string(*data));
    }
    return found;
}

/// Why neither family has an address: what may pass counts before what will not.
trouble without_addresses(const exchanger& host, const family& v6, const family& v4, const dns::answer& asked)
{
    const family* families[] = {&v4, &v6};
    for (const auto* f : families)
        if (f->trouble && f->trouble->verdict != verdict::refused)
            return *f->trouble;
    const bool missing = v4.trouble && v6.trouble; // NXDOMAIN, twice
    // The recipient's domain exists if it has an MX: what is wrong then is the route.
    if (missing && (host.implicit || host.given))
        return *v4.trouble;
    const std::string_view what = missing                      ? "does not exist"
                                  : v4.unusable || v6.unusable ? "has no address that can be reached"
                                                               : "has no address";
    const std::string whom = host.given      ? host.host
                             : host.implicit ? host.host + ", which has no mail exchanger (MX),"
                                             : "the mail exchanger " + host.host;
    return {verdict::refused, unable_to_route,
            fmt::format("{} {} ({})", whom, what,
                        asked.asked.empty() ? "the resolver" : base::escaped(asked.asked, 128))};
}

} // namespace

host_addresses decide_addresses(const exchanger& host, const dns::answer& aaaa, const dns::answer& a)
{
    if (host.literal)
        return {{host.host}, std::nullopt, dns::security::insecure};
    const auto v6 = decide_family<dns::aaaa_data>(host, aaaa, "IPv6");
    const auto v4 = decide_family<dns::a_data>(host, a, "IPv4");
    host_addresses found;
    found.addresses = interleave(v6.addresses, v4.addresses);
    if (found.addresses.size() > addresses_max)
        found.addresses.resize(addresses_max);
    if (found.addresses.empty())
        found.trouble = without_addresses(host, v6, v4, a);
    found.trust = v6.trouble ? a.trust : v4.trouble ? aaaa.trust : worse(aaaa.trust, a.trust);
    return found;
}

std::vector<std::string> interleave(const std::vector<std::string>& v6, const std::vector<std::string>& v4)
{
    std::vector<std::string> mixed;
    for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
        if (i < v6.size())
            mixed.push_back(v6[i]);
        if (i < v4.size())
            mixed.push_back(v4[i]);
    }
    return mixed;
}

} // namespace postrider::policy
