// SPDX-License-Identifier: MIT
#pragma once
// net/tls: how connections are encrypted, and whom they trust.
//
// TLS 1.2 at least. A client verifies: the chain up to the system's certificate authorities (or those
// given), the name, and the time. What is wrong with a certificate is said once, with the reason.

#include <string>
#include <utility>

namespace postrider {

class tls_client_settings {
public:
    /// A file of trusted certificate authorities in PEM, instead of the system's.
    tls_client_settings& trust(std::string file) { return trust_ = std::move(file), *this; }

    /// The name that the certificate must be for, and that is asked for (SNI). Default: the host's.
    tls_client_settings& name(std::string host) { return name_ = std::move(host), *this; }

    /// False: any certificate will do. Encrypted, and open to whoever stands in between.
    tls_client_settings& verify(bool yes) { return verify_ = yes, *this; }

    /// Our own, in PEM, for servers that ask.
    tls_client_settings& certificate(std::string file, std::string key_file)
    {
        return certificate_ = std::move(file), key_ = std::move(key_file), *this;
    }

    const std::string& trust() const noexcept { return trust_; }
    const std::string& name() const noexcept { return name_; }
    bool verify() const noexcept { return verify_; }
    const std::string& certificate_file() const noexcept { return certificate_; }
    const std::string& key_file() const noexcept { return key_; }

private:
    std::string trust_, name_, certificate_, key_;
    bool verify_ = true;
};

class tls_server_settings {
public:
    /// Files in PEM; the first holds the chain, the server's own certificate first.
    tls_server_settings(std::string certificate_file, std::string key_file)
        : certificate_(std::move(certificate_file)), key_(std::move(key_file))
    {
    }

    const std::string& certificate_file() const noexcept { return certificate_; }
    const std::string& key_file() const noexcept { return key_; }

private:
    std::string certificate_, key_;
};

} // namespace postrider
