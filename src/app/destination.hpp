// SPDX-License-Identifier: MIT
#pragma once
// app/destination: where a client goes, and getting there.
//
// Names are looked up and all their addresses tried (RFC 8305), one host after the other; each host has
// an equal part of the time that is left. How it failed is said in one sentence, for people, of bounded
// length: "cannot connect to mail.example.org:25 (192.0.2.1:25): Connection refused".

#include "net/environment.hpp"
#include "net/stop_signal.hpp"
#include "net/tls_stream.hpp"
#include "postrider/stream.hpp"
#include "postrider/tls.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace postrider::app {

struct arrival {
    std::unique_ptr<stream> made; ///< nothing: the rest says why
    std::error_code error;
    std::string sentence;
};

/// How to speak TLS there; the files are read when they are first needed.
struct client_tls {
    explicit client_tls(tls_client_settings settings) : how(std::move(settings)) {}

    tls_client_settings how;
    std::shared_ptr<net::tls_context> context;
};

struct destination {
    std::vector<std::string> hosts; ///< names or IP addresses, in the order of trying
    std::uint16_t port = 0;
    std::string path;                ///< of a Unix socket, instead
    std::shared_ptr<client_tls> tls; ///< from the first octet on; of one host

    /// "mail.example.org:25"; "[2001:db8::1]:25"; "a.example:25, b.example:25"; "unix:/run/lmtp".
    std::string to_string() const;

    /// What keeps it from being one, in words; empty if nothing does.
    std::string missing() const;
};

/// Spawned with the slot of `stop`; ends with error::cancelled when that is emitted.
asio::awaitable<arrival> reach(std::shared_ptr<net::stop_signal> stop,
                               std::shared_ptr<net::environment> world, destination where,
                               std::chrono::milliseconds limit);

} // namespace postrider::app
