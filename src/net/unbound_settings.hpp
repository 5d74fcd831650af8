// SPDX-License-Identifier: MIT
#pragma once
// net/unbound_settings: resolver_options, checked, and as libunbound wants them.
//
// What is wrong with an option is said when the settings are made, with the option's name and in a
// sentence. Only what the machine adds (/etc/resolv.conf, the file of trust anchors) is met later.

#include "dns/name.hpp"
#include "net/endpoint.hpp"
#include "net/resolver.hpp"

#include <optional>
#include <string>
#include <vector>

struct ub_ctx;

namespace postrider::net {

class unbound_settings {
public:
    /// Throws std::invalid_argument.
    explicit unbound_settings(const resolver_options& options);

    /// Configures a context that has not been used yet. Returns nothing, or why libunbound refuses.
    std::optional<std::string> apply(ub_ctx* context);

    /// Whom a question about `owner` goes to, in words for dns::answer::asked. Known after apply().
    std::string asked(const dns::name& owner) const;

private:
    struct stub {
        dns::name zone;
        endpoint server;
    };

    std::optional<std::string> apply_servers(ub_ctx* context);
    std::optional<std::string> apply_stubs(ub_ctx* context) const;
    std::optional<std::string> apply_trust_anchors(ub_ctx* context) const;
    std::optional<std::string> open_stub_zones(ub_ctx* context) const;

    std::vector<endpoint> servers_;
    std::vector<stub> stubs_;
    std::vector<std::string> trust_anchors_;
    bool validate_;
    std::string default_servers_ = "the root servers";
};

} // namespace postrider::net
