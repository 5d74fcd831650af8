// SPDX-License-Identifier: MIT
#pragma once
// net/tls_diagnosis: why no TLS came about, in a sentence for people. Certificates: net/tls_refusal.

#include "net/tls_trouble.hpp"

#include <string>
#include <string_view>

namespace postrider::net {

struct tls_facts {
    bool client;            ///< which side we are
    std::string who;        ///< the peer: "mail.example.org"; "192.0.2.1:4711"
    error_code lost;        ///< if the connection was
    tls_trouble trouble;    ///< else, what OpenSSL found
    std::string_view heard; ///< the first octets that came
};

std::string tls_failure_sentence(const tls_facts& facts);

} // namespace postrider::net
