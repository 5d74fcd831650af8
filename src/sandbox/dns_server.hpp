// SPDX-License-Identifier: MIT
#pragma once
// sandbox/dns_server: serves a zone over UDP and TCP on a loopback address (RFC 1035 §4.2, RFC 7766).
//
// Answers come from zone::reply_to(); over UDP they are cut to what the asker can take (512 octets, or
// up to 4096 with EDNS). What is no query is ignored over UDP and ends a TCP connection.
//
// Bounded: 64 TCP connections, further ones wait; 5 seconds for each query on one of them, from the
// first octet to the last of its answer; one query at a time on a connection, so that who asks faster
// than it reads is not read from. Over UDP what the system cannot take at once is lost, as UDP may.
//
// Threads: one, that of the executor, for the constructor and stop() as well.

#include "dns/message.hpp"
#include "net/asio.hpp"
#include "sandbox/zone.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace postrider::sandbox {

/// One question, and what became of it.
struct answered_question {
    std::string client; ///< "127.0.0.1:40000"
    bool tcp = false;
    dns::question asked;
    std::optional<dns::rcode> code; ///< nothing: we kept silent
    std::size_t answers = 0;        ///< records in the answer section
};

class dns_server {
public:
    using observer = std::function<void(const answered_question&)>;

    /// Listens at once, on the same port for both; 0: any that is free. Throws std::invalid_argument
    /// if `address` is no loopback address, and boost::system::system_error, which names it, if it
    /// cannot be listened on. The observer is told of each question, in the executor's thread.
    dns_server(asio::any_io_executor executor, std::shared_ptr<const zone> served, const std::string& address,
               std::uint16_t port, observer told = {});
    ~dns_server();
    dns_server(const dns_server&) = delete;
    dns_server& operator=(const dns_server&) = delete;

    std::uint16_t port() const noexcept;

    /// Closes the sockets and lets go of the observer. Waits for nothing; may be called again.
    void stop();

private:
    class state;
    std::shared_ptr<state> state_;
};

} // namespace postrider::sandbox
