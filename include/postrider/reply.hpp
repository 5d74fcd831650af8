// SPDX-License-Identifier: MIT
#pragma once
// smtp/reply: what an SMTP server answered to one command.
//
// The code alone decides what a reply means, by its first digit where the code is unknown
// (RFC 5321 §4.2.1, §4.3.2); the enhanced status code refines it (RFC 3463, RFC 2034); the text
// is for people, comes from a stranger, and must be escaped before it is shown: to_string() is.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace postrider {

/// An enhanced status code, `class.subject.detail` (RFC 3463 §2), such as 5.1.1.
struct enhanced_code {
    int status = 0;  ///< 2, 4 or 5
    int subject = 0; ///< 0 to 999
    int detail = 0;  ///< 0 to 999

    friend bool operator==(const enhanced_code&, const enhanced_code&) = default;
    std::string to_string() const;
};

class reply {
public:
    reply() = default;
    reply(int code, std::optional<enhanced_code> enhanced, std::vector<std::string> lines);

    int code() const noexcept { return code_; } ///< 200 to 599

    /// The enhanced status code of the first line, if one stood there and its class agrees with
    /// the code's first digit (RFC 2034 §4).
    const std::optional<enhanced_code>& enhanced() const noexcept { return enhanced_; }

    /// The text of each line as it came, without code, separator and line end.
    const std::vector<std::string>& lines() const noexcept { return lines_; }

    bool positive() const noexcept { return code_ / 100 == 2; }     ///< 2yz: done
    bool intermediate() const noexcept { return code_ / 100 == 3; } ///< 3yz: go on
    bool transient() const noexcept { return code_ / 100 == 4; }    ///< 4yz: not now
    bool permanent() const noexcept { return code_ / 100 == 5; }    ///< 5yz: no

    /// All of it on one line, escaped and at most `limit` octets: "550 5.1.1 no such user".
    std::string to_string(std::size_t limit = 512) const;

    friend bool operator==(const reply&, const reply&) = default;

private:
    int code_ = 0;
    std::optional<enhanced_code> enhanced_;
    std::vector<std::string> lines_;
};

} // namespace postrider
