// SPDX-License-Identifier: MIT
#pragma once
// support/sim_authority: an authority for the certificates of a simulated world, made at run time.
//
// Its files stand in a folder of their own, which goes with it.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace postrider::test {

/// What a certificate should say. Days are counted from now.
struct sim_certificate {
    std::vector<std::string> names{"mail.example.org"}; ///< DNS names; addresses as "192.0.2.1"
    std::string common_name = "somebody";
    int from_day = -1, to_day = 30;
    bool self_signed = false;
    bool by_intermediate = false;  ///< signed by an authority between, whose certificate is in the file
    bool with_intermediate = true; ///< or is left out
};

class sim_authority {
public:
    explicit sim_authority(const std::string& name = "Test Authority");
    ~sim_authority();
    sim_authority(const sim_authority&) = delete;
    sim_authority& operator=(const sim_authority&) = delete;

    struct files {
        std::string certificate, key;
    };

    /// Throws std::runtime_error if OpenSSL will not.
    files issue(const sim_certificate& what = {});

    /// The same key in a file under a passphrase; its path.
    std::string lock(const std::string& key_file, const std::string& passphrase);

    std::string file() const; ///< the authority's own certificate: what clients trust
    const std::filesystem::path& folder() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace postrider::test
