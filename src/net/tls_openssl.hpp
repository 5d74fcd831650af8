// SPDX-License-Identifier: MIT
#pragma once
// net/tls_openssl: what is owned of OpenSSL, freed by whoever holds it.

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace postrider::net {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* what) const noexcept
    {
        Free(what);
    }
};

using ssl_context_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_by<SSL_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;

} // namespace postrider::net
