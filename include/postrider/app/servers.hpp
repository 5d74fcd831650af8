// SPDX-License-Identifier: MIT
#pragma once
// app/servers: services that listen, and give each connection a protocol from their factory.
//
// Listening begins with the privileged start, so that a port below 1024 can be had before the process
// gives up being root; connections are accepted from the start on. A server that cannot listen throws
// std::system_error from its start and names the address. Out of descriptors it goes on with those
// connections it has, and accepts again when there is room.
//
// In the log each connection has a number, "[echo,server,17]". One that the factory refuses, or whose
// protocol cannot be made, is closed.
//
// Stopping closes the listener, asks every protocol to come to an end (protocol::stop_requested()), waits
// until all connections have ended, and after `patience` cuts those that have not.

#include "postrider/app/factory.hpp"
#include "postrider/app/service.hpp"
#include "postrider/tls.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace postrider::app {

/// What all kinds have in common.
class stream_server : public service {
public:
    ~stream_server() override;

    stream_server& patience(std::chrono::milliseconds stopping); ///< default: 10 s
    stream_server& connections_max(std::size_t n);               ///< more wait to be accepted; default: 1000

    std::size_t connections() const noexcept; ///< those in a handshake are counted
    std::string listening() const; ///< "127.0.0.1:2525": with the real port; empty while it does not

protected:
    struct engine;
    stream_server(std::shared_ptr<engine> what, std::string name);

    void on_privileged_start() override;
    void on_start() override;
    eventually<void> on_stop() override;
    void on_abandon() noexcept override;

    std::uint16_t listening_port() const noexcept;

    std::shared_ptr<engine> engine_;
};

class tcp_server final : public stream_server {
public:
    /// `address`: an IP address of this host; "::" and "0.0.0.0" are all of them. Port 0: any that is
    /// free. Throws std::invalid_argument for what is no address.
    tcp_server(const std::string& address, std::uint16_t port, std::shared_ptr<factory> makes);
    std::uint16_t port() const noexcept; ///< the real one, while it listens; else 0
};

/// TLS from the first octet. Throws std::system_error from the privileged start, with the file's name,
/// if certificate or key cannot be used. A handshake has 30 seconds; one that fails is logged.
class tls_server final : public stream_server {
public:
    tls_server(const std::string& address, std::uint16_t port, std::shared_ptr<factory> makes,
               tls_server_settings how);
    std::uint16_t port() const noexcept;
};

/// A socket file that is left from a process that is gone is replaced; it is removed at the end. Throws
/// std::invalid_argument unless `path` is absolute and at most 107 octets long.
class unix_server final : public stream_server {
public:
    unix_server(std::string path, std::shared_ptr<factory> makes, unsigned mode = 0660);
};

/// On a socket that the service manager opened before the program was started (systemd.socket(5)): the one
/// with this name (FileDescriptorName=), or the only one if `socket` is empty.
class inherited_server final : public stream_server {
public:
    inherited_server(std::string socket, std::shared_ptr<factory> makes);
};

} // namespace postrider::app
