// SPDX-License-Identifier: MIT
// app/clients: the kinds of clients, which differ in where they go.

#include "postrider/app/clients.hpp"

#include "app/stream_client.hpp"

#include <utility>

namespace postrider::app {
namespace {

destination at_hosts(std::vector<std::string> hosts, std::uint16_t port)
{
    destination where;
    where.hosts = std::move(hosts);
    where.port = port;
    return where;
}

destination over_tls(std::string host, std::uint16_t port, tls_client_settings how)
{
    destination where = at_hosts(std::vector<std::string>(1, std::move(host)), port);
    where.tls = std::make_shared<client_tls>(std::move(how));
    return where;
}

destination at_path(std::string path)
{
    destination where;
    where.path = std::move(path);
    return where;
}

} // namespace

stream_client::stream_client(std::shared_ptr<engine> what, std::string name)
    : service(std::move(name)), engine_(std::move(what))
{
}

stream_client::~stream_client() { engine_->abandon(); }

stream_client& stream_client::timeout(std::chrono::milliseconds connecting)
{
    engine_->timeout = connecting;
    return *this;
}

stream_client& stream_client::patience(std::chrono::milliseconds stopping)
{
    engine_->patience = stopping;
    return *this;
}

app::connector& stream_client::connector() const noexcept { return *engine_; }

bool stream_client::connected() const noexcept { return engine_->connected(); }

void stream_client::on_start() { engine_->start(loop()); }

eventually<void> stream_client::on_stop() { return engine_->stop(); }

void stream_client::on_abandon() noexcept { engine_->abandon(); }

tcp_client::tcp_client(std::string host, std::uint16_t port, std::shared_ptr<client_factory> makes)
    : tcp_client(std::vector<std::string>(1, std::move(host)), port, std::move(makes))
{
}

tcp_client::tcp_client(std::vector<std::string> hosts, std::uint16_t port,
                       std::shared_ptr<client_factory> makes)
    : stream_client(std::make_shared<engine>(at_hosts(std::move(hosts), port), std::move(makes)), {})
{
}

tls_client::tls_client(std::string host, std::uint16_t port, std::shared_ptr<client_factory> makes,
                       tls_client_settings how)
    : stream_client(
          std::make_shared<engine>(over_tls(std::move(host), port, std::move(how)), std::move(makes)), {})
{
}

unix_client::unix_client(std::string path, std::shared_ptr<client_factory> makes)
    : stream_client(std::make_shared<engine>(at_path(std::move(path)), std::move(makes)), {})
{
}

} // namespace postrider::app
