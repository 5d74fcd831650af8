// SPDX-License-Identifier: MIT
#pragma once
// sandbox/json_description: where a running sandbox can be reached, for its page and for scripts.

#include <cstdint>
#include <string>
#include <vector>

namespace postrider::sandbox {

struct description {
    struct host {
        std::string name;
        std::vector<std::string> addresses; ///< at least one
        bool listens;
    };

    std::string dns_address; ///< "127.0.0.1"
    std::uint16_t dns_port = 0;
    std::uint16_t smtp_port = 0; ///< of every exchanger
    std::string page_address;
    std::uint16_t page_port = 0; ///< 0: not known yet
    std::vector<host> exchangers;
    std::vector<std::string> commands; ///< to type, for a first message

    std::string resolver() const; ///< "127.0.0.1:5353"
    std::string page() const;     ///< "http://127.0.0.1:8025/"
};

/// One JSON object on one line:
///
///     {"dns": "127.0.0.1:5353", "dns_port": 5353, "smtp_port": 2525,
///      "exchangers": [{"name": "mx1.example.org", "address": "127.0.0.2", "addresses": ["127.0.0.2"],
///                      "port": 2525, "listens": false}],
///      "try": ["postrider send ..."], "http_port": 8025, "page": "http://127.0.0.1:8025/"}
///
/// without "http_port" and "page" while the page's port is not known.
std::string to_json(const description& what);

} // namespace postrider::sandbox
