// SPDX-License-Identifier: MIT
#pragma once
// cli/terminal: writing for people: colour where there is a terminal that wants it, and nothing else.

#include "net/clock.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::cli {

enum class colour { plain, good, bad, warning, faint };

class terminal {
public:
    /// `NO_COLOR` set, or `TERM=dumb`, or no terminal at all: no colour (no-color.org).
    explicit terminal(std::FILE* to);

    bool is_terminal() const noexcept { return terminal_; }
    unsigned width() const; ///< columns; 80 where nobody knows
    std::string paint(std::string_view text, colour c) const;

    /// False: it could not be written.
    bool write(std::string_view text);

private:
    std::FILE* to_;
    bool terminal_, colours_;
};

/// One line that shows how far a message has got, redrawn a few times a second.
class progress_bar {
public:
    progress_bar(terminal& to, std::optional<std::uint64_t> octets_in_all, net::time_point now);

    void show(std::uint64_t octets, bool ended, net::time_point now);

private:
    terminal& to_;
    std::optional<std::uint64_t> in_all_;
    net::time_point begun_;
    std::optional<net::time_point> shown_;
    bool on_screen_ = false;
};

std::string human_octets(std::uint64_t n); ///< "12.3 MiB"

} // namespace postrider::cli
