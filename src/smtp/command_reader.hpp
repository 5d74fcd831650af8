// SPDX-License-Identifier: MIT
#pragma once
// smtp/command_reader: cuts what a client sends into command lines, strictly.
//
// A command ends in CRLF and in nothing else. A CR or LF that stands alone is reported and never
// repaired: two readers who disagree about where a line ends are how commands are smuggled past one
// of them. A line beyond the limit is taken to its end and thrown away, so memory is bounded. Any
// split of the octets gives the same lines.
//
// RFC 5321 §2.3.8 (line ends), §4.5.3.1.4 (how long a command may be).

#include <cstddef>
#include <string>
#include <string_view>

namespace postrider::smtp {

class command_reader {
public:
    enum class status {
        more,     ///< all input was taken, the line is not complete
        line,     ///< line() is a command, without its CRLF
        too_long, ///< the line has ended and was longer than may be: line() is its beginning
        bare,     ///< a CR or LF stands alone; the reader is of no more use
    };

    /// Lines may be `line_max` octets long, CRLF included.
    explicit command_reader(std::size_t line_max) : line_max_(line_max) {}

    /// Takes octets from the front of `input` until a line is complete or the input is used up.
    status read(std::string_view& input);

    /// After `line` or `too_long`: valid until the next read().
    const std::string& line() const noexcept { return line_; }

private:
    void append(std::string_view piece);
    status finish() noexcept;

    std::size_t line_max_;
    std::string line_;
    bool complete_ = true; ///< line_ has been given out: the next octet begins another
    bool after_cr_ = false;
    bool too_long_ = false;
};

} // namespace postrider::smtp
