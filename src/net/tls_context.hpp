// SPDX-License-Identifier: MIT
#pragma once
// net/tls_context: certificates and rules for many connections, read and checked once.
//
// TLS 1.2 and 1.3. No renegotiation and no compression. No resumption either: OpenSSL does not verify a
// resumed session again, so a store of sessions belongs to a policy, and comes with those.

#include "net/tls_identity.hpp"
#include "net/tls_openssl.hpp"
#include "postrider/tls.hpp"

#include <string>

namespace postrider::net {

class tls_context {
public:
    explicit tls_context(const tls_client_settings& how);
    explicit tls_context(const tls_server_settings& how);

    bool is_client() const noexcept { return client_; }
    bool verifies() const noexcept { return verifies_; }
    const std::string& name() const noexcept { return name_; }   ///< instead of the host's; or empty
    const std::string& trust() const noexcept { return trust_; } ///< the file, or empty: the system's

    /// One side of a connection, with nothing below it. Throws std::bad_alloc.
    ssl_ptr new_session() const;

private:
    void set_rules();
    void load_own(const std::string& certificate_file, const std::string& key_file);
    void load_trust();

    ssl_context_ptr context_;
    bool client_;
    bool verifies_ = false;
    std::string name_, trust_;
};

} // namespace postrider::net
