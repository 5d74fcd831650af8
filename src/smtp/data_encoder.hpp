// SPDX-License-Identifier: MIT
#pragma once
// smtp/data_encoder: a message as it must travel after DATA (RFC 5321 §2.3.8, §4.5.2).
//
// Takes the message as any sequence of ranges and gives back ranges to write. Every line end
// becomes CRLF, whether it came as CRLF, a lone LF or a lone CR; a line that begins with a dot gets
// a second one; finish() ends the last line and adds the lone dot. A lone CR or LF never leaves.
// The line ends are mended before the dots are doubled, so no input can end the message early.
// State is carried across ranges: any split of the input gives the same octets.
//
// What needs no change is pointed at where it lies: a clean message with CRLF comes back as one
// range a call. Where changes stand close together (a file with LF has one in each line) the octets
// are copied into a buffer of the encoder's own: thousands of small ranges cost a gather write more
// than the copy does (bench/encoder_bench.cpp). Either way a few ranges carry a whole write.

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace postrider::smtp {

class data_encoder {
public:
    /// As many buffers as Asio hands to one sendmsg().
    static constexpr std::size_t default_ranges_max = 64;

    /// Appends the encoded form of `input` to `out`, to no more than `ranges_max` (at least 2)
    /// ranges in all, and returns how many octets of `input` were taken: when not all, write `out`,
    /// clear it and call again with the rest. Nothing but a full `out` or a full buffer makes it
    /// take none; an empty `out` always makes it take some.
    ///
    /// The ranges point into `input` and into the encoder. Both must stay as they are until the
    /// ranges are written; that they are is told by the next call's empty `out`.
    std::size_t encode(std::string_view input, std::vector<std::string_view>& out,
                       std::size_t ranges_max = default_ranges_max);

    /// Ends the message: the last line's end if it is missing, then ".\r\n". An empty message is
    /// ended by ".\r\n" alone. Appends one range, a constant, and is called once.
    void finish(std::vector<std::string_view>& out);

    /// True once an octet above 0x7f has been taken (for 8BITMIME, RFC 6152).
    bool eight_bit() const noexcept { return eight_bit_; }

private:
    void copy(std::string_view octets, std::vector<std::string_view>& out);
    std::size_t copy_blocks(std::string_view input, std::vector<std::string_view>& out);
    void note_taken(std::string_view octets, bool eight_bit);

    std::unique_ptr<char[]> copied_; // made when first needed
    std::size_t copied_size_ = 0;
    char last_ = '\n'; // the octet before the next one; a message starts as after a line end
    bool eight_bit_ = false;
};

} // namespace postrider::smtp
