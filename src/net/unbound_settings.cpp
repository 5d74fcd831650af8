// SPDX-License-Identifier: MIT
// net/unbound_settings: what libunbound is told, and what it is kept from doing by default.

#include "net/unbound_settings.hpp"

#include "base/text.hpp"
#include "net/trust_anchor.hpp"

#include <fmt/format.h>
#include <unbound.h>

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace postrider::net {

namespace {

constexpr std::uint16_t dns_port = 53;
constexpr const char* resolv_conf = "/etc/resolv.conf";
constexpr const char* root_anchor_file = "/usr/share/dns/root.key"; // Debian's package dns-root-data

struct setting {
    const char* option;
    const char* value;
};

// What differs from libunbound's defaults for a library, or must not change with them.
constexpr setting fixed_settings[] = {
    // Caches are bounded, to about 8 MB together.
    {"msg-cache-size:", "2m"},
    {"rrset-cache-size:", "4m"},
    {"key-cache-size:", "1m"},
    {"neg-cache-size:", "512k"},
    {"infra-cache-numhosts:", "2000"},
    // Sockets for questions on their way; more questions wait until one is free.
    {"outgoing-range:", "64"},
    {"outgoing-num-tcp:", "8"},
    // An idle connection keeps the caller's loop from running out of work.
    {"tcp-reuse-timeout:", "3000"},
    // A server that was down for a while is asked again without waiting for 15 minutes.
    {"infra-keep-probing:", "yes"},
    {"do-not-query-localhost:", "no"},
    // Some servers do not give names back in the case in which they were asked.
    {"use-caps-for-id:", "no"},
    // The root servers need not know which keys we trust (RFC 8145).
    {"trust-anchor-signaling:", "no"},
    // Reverse names of private addresses: the servers may know them, and nobody signs them.
    {"unblock-lan-zones:", "yes"},
    {"insecure-lan-zones:", "yes"},
};

std::string server_text(const endpoint& server)
{
    return fmt::format("{}@{}", server.address().to_string(), server.port());
}

endpoint read_server(std::string_view option, const std::string& text)
{
    const auto server = endpoint::parse(text, dns_port);
    if (!server) {
        throw std::invalid_argument(fmt::format("{}: {}", option, server.problem().what));
    }
    if (server->is_unix()) {
        throw std::invalid_argument(fmt::format("{}: \"{}\" is a Unix socket; a DNS server has an IP address",
                                                option, base::escaped(text, 80)));
    }
    if (server->port() == 0) {
        throw std::invalid_argument(
            fmt::format("{}: \"{}\" names port 0, where nobody answers", option, base::escaped(text, 80)));
    }
    return *server;
}

dns::name read_zone(const std::string& text)
{
    auto zone = dns::name::parse(text);
    if (!zone) {
        throw std::invalid_argument(
            fmt::format("stubs: \"{}\" is not a zone: {}", base::escaped(text, 80), zone.problem().what));
    }
    if (zone->is_root()) {
        // libunbound would answer NXDOMAIN for every name, without asking anybody.
        throw std::invalid_argument(
            "stubs: \".\" is every name there is; give its server as one of the servers");
    }
    return std::move(zone).value();
}

/// RFC 6761 §6.3: "localhost" and the names below it are never asked of a server.
bool is_this_host(const dns::name& owner)
{
    return !owner.is_root() && base::equal_ignoring_case(owner.labels().back(), "localhost");
}

std::optional<std::string> refusal(int error, std::string_view doing)
{
    if (error == 0) {
        return std::nullopt;
    }
    return fmt::format("libunbound refuses {}: {}", doing, ub_strerror(error));
}

} // namespace

unbound_settings::unbound_settings(const resolver_options& options) : validate_(options.validate)
{
    for (const std::string& server : options.servers) {
        servers_.push_back(read_server("servers", server));
    }
    for (const resolver_options::stub& s : options.stubs) {
        stubs_.push_back({read_zone(s.zone), read_server("stubs", s.server)});
    }
    for (const std::string& anchor : options.trust_anchors) {
        if (const auto wrong = check_trust_anchor(anchor)) {
            throw std::invalid_argument(fmt::format("trust_anchors: \"{}\" cannot be used: {}",
                                                    base::escaped(anchor, 160), wrong->what));
        }
        trust_anchors_.push_back(anchor);
    }
}

std::optional<std::string> unbound_settings::apply(ub_ctx* context)
{
    // libunbound would write its warnings to our user's terminal. What matters in them comes back
    // with the answers.
    ub_ctx_debugout(context, nullptr);

    for (const setting& s : fixed_settings) {
        if (auto wrong = refusal(ub_ctx_set_option(context, s.option, s.value), s.option)) {
            return wrong;
        }
    }
    if (auto wrong = apply_servers(context)) {
        return wrong;
    }
    if (auto wrong = apply_stubs(context)) {
        return wrong;
    }
    if (auto wrong = apply_trust_anchors(context)) {
        return wrong;
    }
    return open_stub_zones(context); // last: this ends the time in which options may be set
}

std::optional<std::string> unbound_settings::apply_servers(ub_ctx* context)
{
    for (const endpoint& server : servers_) {
        if (auto wrong = refusal(ub_ctx_set_fwd(context, server_text(server).c_str()), "a server")) {
            return wrong;
        }
    }
    if (!servers_.empty()) {
        return std::nullopt;
    }
    const int error = ub_ctx_resolvconf(context, resolv_conf);
    if (error == UB_READFILE) {
        return std::nullopt; // none there: from the root, then
    }
    default_servers_ = fmt::format("the servers of {}", resolv_conf);
    return refusal(error, default_servers_);
}

std::optional<std::string> unbound_settings::apply_stubs(ub_ctx* context) const
{
    for (const stub& s : stubs_) {
        const std::string zone = s.zone.to_string();
        const int error = ub_ctx_set_stub(context, zone.c_str(), server_text(s.server).c_str(), 0);
        if (auto wrong = refusal(error, "a stub")) {
            return wrong;
        }
    }
    return std::nullopt;
}

std::optional<std::string> unbound_settings::apply_trust_anchors(ub_ctx* context) const
{
    if (!validate_) {
        return refusal(ub_ctx_set_option(context, "module-config:", "iterator"), "to leave out validation");
    }
    for (const std::string& anchor : trust_anchors_) {
        if (auto wrong = refusal(ub_ctx_add_ta(context, anchor.c_str()), "a trust anchor")) {
            return wrong;
        }
    }
    if (trust_anchors_.empty() && ::access(root_anchor_file, R_OK) == 0) {
        return refusal(ub_ctx_add_ta_file(context, root_anchor_file), root_anchor_file);
    }
    return std::nullopt;
}

// libunbound answers "test", "invalid", "onion" and others from zones of its own, and would never
// ask the server that a stub names for one of them or for a zone below.
std::optional<std::string> unbound_settings::open_stub_zones(ub_ctx* context) const
{
    for (const stub& s : stubs_) {
        const std::string zone = s.zone.to_string();
        if (auto wrong = refusal(ub_ctx_zone_remove(context, zone.c_str()), "the settings")) {
            return wrong;
        }
        if (auto wrong = refusal(ub_ctx_zone_add(context, zone.c_str(), "transparent"), "a stub's zone")) {
            return wrong;
        }
    }
    return std::nullopt;
}

std::string unbound_settings::asked(const dns::name& owner) const
{
    const stub* closest = nullptr;
    for (const stub& s : stubs_) {
        const bool closer = closest == nullptr || s.zone.labels().size() > closest->zone.labels().size();
        if (closer && owner.is_within(s.zone)) {
            closest = &s;
        }
    }
    std::vector<std::string> names;
    if (closest != nullptr) {
        for (const stub& s : stubs_) {
            if (s.zone == closest->zone) {
                names.push_back(s.server.to_string());
            }
        }
    } else if (is_this_host(owner)) {
        names.emplace_back("this host");
    } else {
        for (const endpoint& server : servers_) {
            names.push_back(server.to_string());
        }
    }
    return names.empty() ? default_servers_ : fmt::format("{}", fmt::join(names, ", "));
}

} // namespace postrider::net
