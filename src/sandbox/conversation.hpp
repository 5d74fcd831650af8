// SPDX-License-Identifier: MIT
#pragma once
// sandbox/conversation: what was said on one connection, as far as it is kept.
//
// Bounded: the oldest lines go, and a line in their place says so. A session that brings a thousand
// messages so still shows for each of them how it came.

#include "sandbox/mailbox.hpp"

#include <cstddef>
#include <deque>
#include <string_view>
#include <vector>

namespace postrider::sandbox {

class conversation {
public:
    explicit conversation(std::size_t lines_max = 400, std::size_t octets_max = 32 * 1024)
        : lines_max_(lines_max), octets_max_(octets_max)
    {
    }

    /// Keeps a line, given without its line end. Returns it as it was kept; valid until the next.
    const spoken_line& add(char who, std::string_view text);

    /// All lines that are kept, in order.
    std::vector<spoken_line> lines() const;

private:
    std::size_t lines_max_, octets_max_;
    std::deque<spoken_line> lines_;
    std::size_t octets_ = 0;
    bool forgot_ = false;
};

/// The lines of octets in which every line ends in CRLF, without their ends.
std::vector<std::string_view> split_lines(std::string_view octets);

} // namespace postrider::sandbox
