// SPDX-License-Identifier: MIT
#pragma once
// delivery/conversation_log: the last lines of a conversation, fit to be shown: "C: MAIL FROM:<...>",
// "S: 250 ok", "!: connection lost".
//
// Bounded: 100 lines of 512 octets, whatever a server says. Bodies are not in it, but for their size.

#include "postrider/settings.hpp" // trace_line

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace postrider::delivery {

class conversation_log {
public:
    static constexpr std::size_t lines_max = 100, line_octets_max = 512;

    void add(const trace_line& line);
    std::span<const std::string> lines() const noexcept { return lines_; }

private:
    std::vector<std::string> lines_;
};

} // namespace postrider::delivery
