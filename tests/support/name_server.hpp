// SPDX-License-Identifier: MIT
#pragma once
// support/name_server: nsd on loopback, with zones that a test writes, signed by ldns if it wants.
//
// Real software on the other side: an authoritative server and signatures that are nobody's idea of
// DNSSEC but the field's. Where nsd or ldnsutils are not installed, a test fails and says so.

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace postrider::test {

/// A directory of its own under the system's temporary one, removed at the end.
class scratch_directory {
public:
    scratch_directory();
    ~scratch_directory();
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

struct zone {
    std::string name; ///< "example.org"
    std::string text; ///< zone file form
};

enum class signatures { valid, expired };

struct signed_zone {
    postrider::test::zone zone;
    std::string trust_anchor; ///< its DS record
};

/// Signs with a new ECDSA key. Throws std::runtime_error if the tools are missing or fail.
signed_zone sign(const zone& plain, signatures validity = signatures::valid);

/// nsd with these zones on a free port of 127.0.0.1, UDP and TCP. Answers REFUSED for other zones.
class name_server {
public:
    /// Throws std::runtime_error, with what nsd said, if it does not come up.
    explicit name_server(std::vector<zone> zones);
    ~name_server();
    name_server(const name_server&) = delete;
    name_server& operator=(const name_server&) = delete;

    /// "127.0.0.1:5353"
    std::string address() const;

    /// From now on nobody answers at the address.
    void stop();

private:
    void write_configuration(std::uint16_t port) const;
    bool start(std::uint16_t port);

    scratch_directory directory_;
    std::vector<zone> zones_;
    std::uint16_t port_ = 0;
    pid_t process_ = -1;
};

} // namespace postrider::test
