// SPDX-License-Identifier: MIT
#pragma once
// smtp/line_scan: finds where a text departs from the lines of SMTP (RFC 5321 §2.3.8, §4.5.2).
//
// One question, asked by both sides of DATA: how much of this may be handed on as it is? Whole
// lines with CRLF may; a place where somebody must look is a *break*: an LF without a CR before
// it, an octet other than LF after a CR, a dot that begins a line. Each break is seen at the octet
// that shows it, so an octet and the one before it decide alone, and any split of the text gives
// the same breaks.
//
// Wide instructions where the machine has them, words of eight octets elsewhere; both are always
// compiled, and the tests hold both against the octet-wise definition below.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postrider::smtp {

/// True if the wire needs more than `octet` at this place, or if the wire forbids it.
constexpr bool is_break(char before, char octet) noexcept
{
    const bool after_cr = before == '\r';
    const bool after_line = after_cr || before == '\n';
    return (octet == '\n') != after_cr || (octet == '.' && after_line);
}

struct scanned {
    std::size_t clean; ///< octets before the first break; all of them if there is none
    bool eight_bit;    ///< one of these octets is above 0x7f
};

/// Looks for the first break in `text`, whose first octet comes after `before`.
scanned scan_lines(char before, std::string_view text) noexcept;

/// What 64 octets hold.
struct block_marks {
    static constexpr std::size_t size = 64;

    std::uint64_t breaks; ///< one bit an octet, the first octet in the lowest bit
    bool eight_bit;       ///< one of the octets is above 0x7f
};

/// All the breaks among the 64 octets at `octets`. octets[-1] is read too.
block_marks mark_block(const char* octets) noexcept;

/// The same two, without wide instructions.
scanned scan_lines_by_words(char before, std::string_view text) noexcept;
block_marks mark_block_by_words(const char* octets) noexcept;

} // namespace postrider::smtp
