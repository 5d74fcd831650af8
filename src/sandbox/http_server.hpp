// SPDX-License-Identifier: MIT
#pragma once
// sandbox/http_server: the mailbox in a browser: one page, a JSON API and live events, on loopback.
//
// Captured mail is nobody else's business, and a browser is a confused deputy. Three promises: it
// listens on loopback addresses only; it answers only requests whose Host is this machine's own
// name (a foreign name that resolves to 127.0.0.1 gets 421, which ends DNS rebinding); and the API
// answers no request that another site's page made (Origin, Sec-Fetch-Site).
//
// Bounded: 64 connections, 16 of them listening for events, 8 KiB of header, 64 KiB of body, 30 s
// without progress. Everything runs on the executor's one thread, which is the mailbox's too.
//
// RFC 9110, 9112 (HTTP/1.1); Fetch Metadata; server-sent events as in the HTML standard.

#include "net/asio.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace postrider::sandbox {

class mailbox;

class http_server {
public:
    /// Listens at once, on `port` or on a free one where it is 0. Throws std::invalid_argument if
    /// `address` is no loopback address, and boost::system::system_error if it cannot be listened
    /// on. `box` must live until stop() or the destructor.
    ///
    /// `about_json` is what GET /api/sandbox answers, one JSON object. The page shows of it, where
    /// they are there: "dns" (a string, "127.0.0.1:5353"), "exchangers" (an array of objects with
    /// "name", "address", "port" and "listens", false for a host that is down) and "try" (an array
    /// of commands to type that bring a first message here).
    http_server(const asio::any_io_executor& executor, mailbox& box, std::string about_json,
                const std::string& address = "127.0.0.1", std::uint16_t port = 0);
    ~http_server();
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    std::uint16_t port() const noexcept;

    /// Closes the listener and every connection, and lets go of the mailbox. Waits for nothing;
    /// may be called again.
    void stop();

private:
    class state;
    std::shared_ptr<state> state_;
};

} // namespace postrider::sandbox
