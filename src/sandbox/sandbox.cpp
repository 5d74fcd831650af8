// SPDX-License-Identifier: MIT
// sandbox/sandbox: the parts, put together.

#include "sandbox/sandbox.hpp"

#include "sandbox/http_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace postrider::sandbox {
namespace {

constexpr const char* own_address = "127.0.0.1";
constexpr int free_port_attempts = 20;

using exchanger_servers = std::vector<std::unique_ptr<capture_server>>;

exchanger_servers listen_everywhere(const std::shared_ptr<net::environment>& environment, mailbox& box,
                                    const world& what, std::uint16_t port,
                                    const capture_server::listener& overhears)
{
    exchanger_servers servers;
    for (const exchanger& e : what.exchangers) {
        if (!e.listens)
            continue;
        capture_options options;
        options.smtp.name = e.name;
        options.addresses = e.loopback_addresses();
        options.port = port;
        servers.push_back(std::make_unique<capture_server>(environment, box, std::move(options), overhears));
        port = servers.back()->port();
    }
    return servers;
}

// A port that is free on the first address may be taken on another; then the system is asked again.
exchanger_servers listen_on_free_port(const std::shared_ptr<net::environment>& environment, mailbox& box,
                                      const world& what, const capture_server::listener& overhears)
{
    for (int attempt = 1;; ++attempt) {
        try {
            return listen_everywhere(environment, box, what, 0, overhears);
        } catch (const boost::system::system_error& e) {
            if (e.code() != asio::error::address_in_use || attempt == free_port_attempts)
                throw;
        }
    }
}

std::string endpoint_text(const std::string& address, std::uint16_t port)
{
    return net::endpoint(asio::ip::make_address(address), port).to_string();
}

/// What to type for a first message: through DNS as real mail goes, and straight to an exchanger.
std::vector<std::string> commands(const description& about, const world::sample& sample)
{
    const auto host = std::find_if(about.exchangers.begin(), about.exchangers.end(),
                                   [&](const description::host& h) { return h.name == sample.host; });
    if (host == about.exchangers.end())
        return {};
    const std::string message = fmt::format(
        "--from you@example.com --to bob@{} --subject hello --body \"Hello, Bob.\"", sample.domain);
    return {fmt::format("postrider send --resolver {} --mx-port {} {}", about.resolver(), about.smtp_port,
                        message),
            fmt::format("postrider send --server {} {}",
                        endpoint_text(host->addresses.front(), about.smtp_port), message)};
}

std::vector<description::host> described(const std::vector<exchanger>& exchangers)
{
    std::vector<description::host> hosts;
    for (const exchanger& e : exchangers) {
        description::host host{e.name, {}, e.listens};
        for (const asio::ip::address& address : e.listens ? e.loopback_addresses() : e.addresses)
            host.addresses.push_back(address.to_string());
        hosts.push_back(std::move(host));
    }
    return hosts;
}

} // namespace

struct sandbox::parts {
    mailbox mail;
    std::optional<dns_server> names;
    exchanger_servers exchangers;
    std::optional<http_server> page;
    description about;
};

sandbox::sandbox(std::shared_ptr<net::environment> environment, const world& what, sandbox_options options)
    : parts_(std::make_unique<parts>())
{
    const asio::any_io_executor executor = environment->executor();
    parts_->names.emplace(executor, what.names, own_address, options.dns_port, std::move(options.hears));
    parts_->exchangers =
        options.smtp_port == 0
            ? listen_on_free_port(environment, parts_->mail, what, options.overhears)
            : listen_everywhere(environment, parts_->mail, what, options.smtp_port, options.overhears);

    description& about = parts_->about;
    about.dns_address = about.page_address = own_address;
    about.dns_port = parts_->names->port();
    about.smtp_port = parts_->exchangers.empty() ? options.smtp_port : parts_->exchangers.front()->port();
    about.exchangers = described(what.exchangers);
    about.commands = commands(about, what.to_try());
    try {
        parts_->page.emplace(executor, parts_->mail, to_json(about), own_address, options.http_port);
    } catch (const boost::system::system_error& e) {
        throw boost::system::system_error(
            e.code(),
            fmt::format("cannot listen on {} for the page", endpoint_text(own_address, options.http_port)));
    }
    about.page_port = parts_->page->port();
}

sandbox::~sandbox() { stop(); }

const description& sandbox::about() const noexcept { return parts_->about; }

mailbox& sandbox::mail() noexcept { return parts_->mail; }

void sandbox::stop()
{
    parts_->page->stop();
    for (const auto& server : parts_->exchangers)
        server->stop();
    parts_->names->stop();
}

} // namespace postrider::sandbox
