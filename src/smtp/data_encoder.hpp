// SPDX-License-Identifier: MIT
#pragma once
// smtp/data_encoder: a message as it must travel after DATA (RFC 5321 §2.3.8, §4.5.2).
//
// Takes the message as any sequence of ranges and gives back ranges to write. Every line end
// becomes CRLF, whether it came as CRLF, a lone LF or a lone CR; a line that begins with a dot gets
// a second one; finish() ends the last line and adds the lone dot. A lone CR or LF never leaves.
// The line ends are mended before the dots are doubled, so no input can end the message early.
//
// The ranges that come out point into the input wherever nothing changes, so the input must stay
// where it is until they are written. State is carried across ranges: any split of the input gives
// the same octets. It walks the input with wide instructions, not octet by octet.

#include <cstddef>
#include <string_view>
#include <vector>

namespace postrider::smtp {

class data_encoder {
public:
    /// Appends the encoded form of `input` to `out` as ranges, some of them into `input`, others
    /// into constants. Stops early when `out` has reached `ranges_max` ranges, and returns how
    /// many octets of `input` were taken; call again with the rest.
    std::size_t encode(std::string_view input, std::vector<std::string_view>& out,
                       std::size_t ranges_max = 512);

    /// Ends the message: the last line's end if it is missing, then ".\r\n". An empty message is
    /// ended by ".\r\n" alone.
    void finish(std::vector<std::string_view>& out);

    /// True once an octet above 0x7f has been taken (for 8BITMIME, RFC 6152).
    bool eight_bit() const noexcept { return eight_bit_; }

private:
    enum class at { line_start, in_line, after_cr };
    at state_ = at::line_start;
    bool eight_bit_ = false;
};

} // namespace postrider::smtp
