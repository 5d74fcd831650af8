// SPDX-License-Identifier: MIT
#pragma once
// app/clients: services that connect when they are started and disconnect when they are stopped.
//
// A client makes one connection and its factory the protocol for it. Names are looked up and all their
// addresses tried (RFC 8305); a list of hosts is tried in its order. Whatever keeps a connection from
// coming about, a missing address included, is told to client_factory::connection_failed() from the loop:
// it is no failure of the start, and the application goes on.
//
// Stopping asks the protocol to come to an end (protocol::stop_requested()), waits until the connection
// has, and after `patience` cuts it.

#include "postrider/app/factory.hpp"
#include "postrider/app/service.hpp"
#include "postrider/tls.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace postrider::app {

/// What the three kinds have in common.
class stream_client : public service {
public:
    ~stream_client() override;

    stream_client& timeout(std::chrono::milliseconds connecting); ///< for all addresses; default: 30 s
    stream_client& patience(std::chrono::milliseconds stopping);  ///< default: 10 s

    app::connector& connector() const noexcept;
    bool connected() const noexcept;

protected:
    struct engine;
    stream_client(std::shared_ptr<engine> what, std::string name);

    void on_start() override;
    eventually<void> on_stop() override;
    void on_abandon() noexcept override;

private:
    std::shared_ptr<engine> engine_;
};

class tcp_client final : public stream_client {
public:
    /// `host`: a name, "192.0.2.1", or "2001:db8::1".
    tcp_client(std::string host, std::uint16_t port, std::shared_ptr<client_factory> makes);
    tcp_client(std::vector<std::string> hosts, std::uint16_t port, std::shared_ptr<client_factory> makes);
};

/// TLS from the first octet, verified against the host's name unless `how` says otherwise.
class tls_client final : public stream_client {
public:
    tls_client(std::string host, std::uint16_t port, std::shared_ptr<client_factory> makes,
               tls_client_settings how = {});
};

class unix_client final : public stream_client {
public:
    unix_client(std::string path, std::shared_ptr<client_factory> makes);
};

} // namespace postrider::app
