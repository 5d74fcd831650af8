// SPDX-License-Identifier: MIT
#pragma once
// net/resolver: asks DNS, without blocking.
//
// One question, one answer, and the answer is never an exception: "no such domain", "the server
// failed" and "nobody answered" are facts that policy weighs (dns/answer.hpp). The caller bounds
// the wait: a look-up that outlives `limit` ends as timed_out.
//
// Threads: resolve() may be called from any thread; the handler runs on its associated executor,
// never inside the call. Cancellation: a look-up whose slot is emitted ends as cancelled.

#include "dns/answer.hpp"
#include "net/asio.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace postrider::net {

class resolver {
public:
    using handler = asio::any_completion_handler<void(dns::answer)>;

    virtual ~resolver() = default;
    virtual void resolve(dns::name owner, dns::type kind, std::chrono::milliseconds limit, handler done) = 0;

    template <asio::completion_token_for<void(dns::answer)> Token>
    auto async_resolve(dns::name owner, dns::type kind, std::chrono::milliseconds limit, Token&& token)
    {
        return asio::async_initiate<Token, void(dns::answer)>(
            [this](auto done, dns::name n, dns::type k, std::chrono::milliseconds l) {
                resolve(std::move(n), k, l, std::move(done));
            },
            token, std::move(owner), kind, limit);
    }
};

/// Where and how to look names up.
struct resolver_options {
    /// Servers to ask, "192.0.2.53" or "127.0.0.1:5353" or "[::1]:53". Empty: those of
    /// /etc/resolv.conf, and without them the root servers.
    std::vector<std::string> servers;

    /// Zones to ask elsewhere: {"example.org", "127.0.0.1:5353"}; authoritative servers.
    struct stub {
        std::string zone, server;
    };
    std::vector<stub> stubs;

    /// Trust anchors for DNSSEC: DS or DNSKEY records in zone file form. Empty: the file that
    /// Debian keeps, if it is there (/usr/share/dns/root.key); else nothing is secure.
    std::vector<std::string> trust_anchors;

    /// False: no validation at all; every answer is insecure.
    bool validate = true;
};

/// libunbound on the loop of `executor` (net/unbound_resolver.cpp). Throws std::invalid_argument
/// with a sentence that names the option if one cannot be used.
std::shared_ptr<resolver> make_resolver(asio::any_io_executor executor, const resolver_options& options);

} // namespace postrider::net
