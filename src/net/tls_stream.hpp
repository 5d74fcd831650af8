// SPDX-License-Identifier: MIT
#pragma once
// net/tls_stream: TLS over any stream, for either side. OpenSSL is met in net/tls*.
//
// Over a BIO of our own: about 20 kB for an idle connection, and no SIGPIPE. What a stream promises
// (read_now, write_now, cancellation, overlapping read and write) holds for this one. Octets that were
// taken count as taken, also where an operation is cancelled. Closing says close_notify as far as that
// goes without waiting. The end of the connection without the peer's is error::tls_truncated, not the end
// of the data; an alert is an error in the peer's words, whose condition is error::tls_failed.

#include "net/asio.hpp"
#include "postrider/stream.hpp"
#include "postrider/tls.hpp"

#include <memory>
#include <string>
#include <system_error>

namespace postrider::net {

/// Certificates and rules, read once and shared by all connections.
class tls_context;

/// Throw std::system_error, whose text names the file and says what is wrong with it.
std::shared_ptr<tls_context> make_tls_context(const tls_client_settings& how);
std::shared_ptr<tls_context> make_tls_context(const tls_server_settings& how);

struct tls_result {
    std::unique_ptr<stream> made; ///< nothing: the handshake failed
    std::error_code error; ///< certificate_refused, tls_failed, connection_lost, cancelled, invalid_argument
    std::string sentence;  ///< fit to be shown: "the certificate of mail.example.org expired on 2026-01-02"
    std::string summary;   ///< of a handshake that succeeded: "TLSv1.3, TLS_AES_256_GCM_SHA384"
};

/// The handshake. `host`: whom a client wants to speak to, for verification and SNI where the settings
/// give no other name; nothing for servers. Ends as cancelled when the handler's slot is emitted; the
/// caller bounds the time.
void start_tls(std::unique_ptr<stream> over, std::shared_ptr<tls_context> context, std::string host,
               asio::any_completion_handler<void(tls_result)> done);

template <asio::completion_token_for<void(tls_result)> Token>
auto async_start_tls(std::unique_ptr<stream> over, std::shared_ptr<tls_context> context, std::string host,
                     Token&& token)
{
    return asio::async_initiate<Token, void(tls_result)>(
        [](auto done, std::unique_ptr<stream> s, std::shared_ptr<tls_context> c, std::string h) {
            start_tls(std::move(s), std::move(c), std::move(h), std::move(done));
        },
        token, std::move(over), std::move(context), std::move(host));
}

} // namespace postrider::net
