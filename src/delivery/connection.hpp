// SPDX-License-Identifier: MIT
#pragma once
// delivery/connection: one connection to one host, as clients and mailers use it: with the settings
// applied, the conversation traced, and outcomes turned into what a report says.

#include "net/connector.hpp"
#include "net/environment.hpp"
#include "net/session_driver.hpp"
#include "policy/failure.hpp"
#include "postrider/client.hpp" // connect_report
#include "postrider/message.hpp"
#include "postrider/report.hpp"
#include "postrider/settings.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postrider::delivery {

/// Whom to ask, and how long to wait, for DNS and for connections.
net::resolver_options resolver_options(const settings& how);
std::chrono::milliseconds lookup_limit(const settings& how);
net::connect_limits connect_limits(const settings& how);

/// How long connecting may take for all exchangers of a domain together. Whoever is left then is
/// tried the next time: a hundred silent hosts must not hold a message for an hour.
inline constexpr std::chrono::milliseconds connecting_limit = std::chrono::minutes(3);

/// The settings' name for EHLO in ASCII, checked; empty if the connection's own address is to be
/// used. Throws std::invalid_argument with a sentence.
std::string checked_name(const settings& how);

/// Tells settings::trace() what became of connecting, and of asking DNS.
void trace_network(const settings& how, std::string_view peer, std::string_view what);
void trace_connecting(const settings& how, std::string_view host, const net::connect_result& tried);

class connection {
public:
    /// `our_name` as from checked_name().
    connection(std::shared_ptr<net::environment> world, std::unique_ptr<stream> over, std::string host,
               const std::string& our_name, const settings& how);
    ~connection();

    /// Up to the reply to EHLO. Why it ended, if it did.
    asio::awaitable<std::optional<smtp::session_failure>> start();

    /// One vector of outcomes for each message, in their order.
    asio::awaitable<std::vector<std::vector<smtp::outcome>>> deliver(
        std::vector<net::session_driver::outgoing> messages);

    asio::awaitable<void> quit();
    void cancel() { driver_->cancel(); }

    bool closed() const noexcept { return driver_->closed(); }
    const std::string& host() const noexcept { return host_; }
    const std::string& peer() const noexcept { return peer_; }
    smtp::session& session() noexcept { return driver_->session(); }

private:
    class tracer;

    std::string host_, peer_;
    std::unique_ptr<tracer> tracer_;
    std::unique_ptr<net::session_driver> driver_;
};

/// What is handed to the session for those recipients of `what` that are numbered.
net::session_driver::outgoing outgoing_for(const message& what, const std::vector<std::size_t>& recipients);

/// Everything an outcome says, in a report's terms.
void fill_in(recipient_report& r, const smtp::outcome& o, const policy::trouble& meaning,
             const connection& link);

/// A verdict that came without any outcome.
void fill_in(recipient_report& r, const policy::trouble& meaning, phase where, std::error_code error = {});

} // namespace postrider::delivery
