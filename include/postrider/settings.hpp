// SPDX-License-Identifier: MIT
#pragma once
// delivery/settings: how clients and mailers behave, where it is not the defaults.
//
// The defaults are those of RFC 5321 §4.5.3.2 for each wait, DNS servers of the system, PIPELINING
// where it is offered.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postrider {

/// One line of a conversation, or of what happened around it, as it happens.
class trace_line {
public:
    enum class kind { client, server, network, body };

    trace_line(kind k, std::string_view host, std::string_view text) : what(k), peer(host), octets(text) {}

    kind what;
    std::string_view peer;   ///< "192.0.2.1:25"; empty for what is about no connection
    std::string_view octets; ///< client, server: without its line end, as it is: escape before showing
};

class settings {
public:
    /// Our name for EHLO: a domain or an address literal. Default: this host's name if it has a dot,
    /// else the connection's own address. Checked when used: error::invalid_argument.
    settings& our_name(std::string name)
    {
        name_ = std::move(name);
        return *this;
    }

    /// Bounds every single wait (a reply, a block of the body, a connection, a DNS answer), 1 s at
    /// least. Default: what the RFC says, 30 s for one address, 60 s for a connection, 30 s for DNS.
    /// Whatever it is, one message has four hours on one connection, and the exchangers of one domain
    /// three minutes for connecting.
    settings& timeout(std::chrono::seconds bound)
    {
        timeout_ = std::max(bound, std::chrono::seconds(1));
        return *this;
    }

    /// False: command by command, even if the server offers PIPELINING.
    settings& pipelining(bool allowed)
    {
        pipelining_ = allowed;
        return *this;
    }

    /// The port of mail exchangers. Default: 25.
    settings& exchanger_port(std::uint16_t port)
    {
        exchanger_port_ = port;
        return *this;
    }

    /// This host's name among the mail exchangers it may find: it and those that are no better are
    /// not tried, for they would send the mail back to us (RFC 5321 §5.1). Default: no such host.
    settings& own_host(std::string name)
    {
        own_host_ = std::move(name);
        return *this;
    }

    /// DNS servers to ask, "192.0.2.53" or "[::1]:5353"; more than once for more. Default: those of
    /// /etc/resolv.conf.
    settings& dns_server(std::string server)
    {
        dns_servers_.push_back(std::move(server));
        return *this;
    }

    /// How many connections a mailer has at the same time, 1 at least. Default: 20.
    settings& connections_max(std::size_t n)
    {
        connections_max_ = std::max<std::size_t>(n, 1);
        return *this;
    }

    /// Called for each line of a conversation. Must not throw.
    settings& trace(std::function<void(const trace_line&)> to)
    {
        trace_ = std::move(to);
        return *this;
    }

    /// Called as a body leaves: octets on the wire so far, and true once all of them have.
    settings& progress(std::function<void(std::uint64_t, bool)> to)
    {
        progress_ = std::move(to);
        return *this;
    }

    const std::string& our_name() const noexcept { return name_; }
    std::optional<std::chrono::seconds> timeout() const noexcept { return timeout_; }
    bool pipelining() const noexcept { return pipelining_; }
    std::uint16_t exchanger_port() const noexcept { return exchanger_port_; }
    const std::string& own_host() const noexcept { return own_host_; }
    const std::vector<std::string>& dns_servers() const noexcept { return dns_servers_; }
    std::size_t connections_max() const noexcept { return connections_max_; }
    const std::function<void(const trace_line&)>& trace() const noexcept { return trace_; }
    const std::function<void(std::uint64_t, bool)>& progress() const noexcept { return progress_; }

private:
    std::string name_;
    std::optional<std::chrono::seconds> timeout_;
    bool pipelining_ = true;
    std::uint16_t exchanger_port_ = 25;
    std::string own_host_;
    std::vector<std::string> dns_servers_;
    std::size_t connections_max_ = 20;
    std::function<void(const trace_line&)> trace_;
    std::function<void(std::uint64_t, bool)> progress_;
};

} // namespace postrider
