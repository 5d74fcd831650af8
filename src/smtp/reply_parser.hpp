// SPDX-License-Identifier: MIT
#pragma once
// smtp/reply_parser: octets from a server, cut into replies (RFC 5321 §4.2).
//
// Strict where leniency has cost others: a reply is three digits between 200 and 599, the same on
// each of its lines, and exists only when the end of its last line has come. What is left at an end
// of input or a time limit is never a reply. A line ends with CRLF or a bare LF; a CR elsewhere is
// text; a NUL is none.
//
// Takes one reply at a time and leaves what stands behind it with the caller: input that nobody
// asked for is how conversations are desynchronised, so whoever asks must be able to see it. Any
// split of the octets gives the same replies, the same failures and the same words about them.
//
// Bounded: a line has at most 4096 octets and a reply 65536, line ends included, and 512 lines.
// Beyond that, or at the first line that is no reply, it is broken for good, and why() says what
// came, escaped and cut short, and which other protocol it looks like.

#include "postrider/reply.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::smtp {

class reply_parser {
public:
    static constexpr std::size_t line_octets_max = 4096;
    static constexpr std::size_t reply_octets_max = 65536;
    static constexpr std::size_t lines_max = 512;

    enum class status {
        incomplete, ///< all input was taken, and it does not end a reply
        complete,   ///< take() has the reply; the input holds what stands behind it
        broken,     ///< this is not SMTP, or without bounds: see why(). The connection is of no use
    };

    /// Takes octets from the front of `input`, up to the end of one reply. A complete reply must be
    /// taken before the next call. Once broken, it stays so until reset().
    status read(std::string_view& input);

    /// The reply that was completed. Asking for it at any other time is a bug, and asserted.
    reply take();

    /// True if octets of an unfinished reply are held, be it one octet or some lines of many.
    bool in_the_middle() const noexcept { return !lines_.empty() || !held_.empty(); }

    /// The octets of the unfinished line, for saying what a lost connection left behind.
    const std::string& held() const noexcept { return held_; }

    /// For `broken`: a sentence that quotes what came.
    const std::string& why() const noexcept { return why_; }

    /// Forgets everything, as if new: for a new connection, or a new TLS layer on an old one.
    void reset();

private:
    std::string_view next_piece(std::string_view input) const noexcept;
    std::size_t line_room() const noexcept;
    void on_octets(std::string_view line);
    void on_line(std::string_view line);
    void give_up(std::string why);

    status status_ = status::incomplete;
    std::string held_;               // a line whose end has not come
    std::vector<std::string> lines_; // the text of the lines before it
    std::size_t octets_ = 0;         // those lines, as they came
    int code_ = 0;                   // their code
    std::string why_;
};

/// The enhanced status code that `text`, the first line of a reply with this code, begins with.
/// Nothing unless it is whole (RFC 3463 §2: no leading zeros), ends the text or has a blank behind
/// it, and has the class of the code's first digit (RFC 2034 §4).
std::optional<enhanced_code> parse_enhanced_code(int code, std::string_view text) noexcept;

} // namespace postrider::smtp
