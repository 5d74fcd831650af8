// SPDX-License-Identifier: MIT
#pragma once
// net/tls_refusal: the first thing that is wrong with a peer's certificate, and the sentence for it.
//
// OpenSSL forgets the certificate when verification has failed, so this is noted while it is checked. Text
// out of certificates is the peer's: bounded and escaped.

#include "net/tls_openssl.hpp"

#include <string>

namespace postrider::net {

class tls_refusal {
public:
    /// Has the certificates that `session` is shown noted here, which must stay as long as it does.
    void watch(SSL& session);

    /// For SSL_CTX_set_verify: notes what failed for the session it failed in. Changes no verdict.
    static int on_verified(int ok, X509_STORE_CTX* checking) noexcept;

    bool noted() const noexcept { return why_ != X509_V_OK; }

    /// "the certificate of mail.example.org expired on 2026-01-02". `trust`: the file with trusted
    /// certificates, or nothing for the system's.
    std::string sentence(const std::string& whose, const std::string& trust) const;

private:
    int why_ = X509_V_OK;
    int depth_ = 0; ///< 0: the peer's own; above: of those who signed for it
    certificate_ptr certificate_;
};

} // namespace postrider::net
