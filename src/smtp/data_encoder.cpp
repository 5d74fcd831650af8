// SPDX-License-Identifier: MIT
// smtp/data_encoder: what to point at, what to copy, and what is put in at a break.
#include "smtp/data_encoder.hpp"

#include "smtp/line_scan.hpp"

#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>

namespace postrider::smtp {
namespace {

// A call looks at no more than this, so that what it looked at is still in the processor's cache
// when the driver writes it.
constexpr std::size_t taken_max = 256 * 1024;

// Half of it costs a socket a third more time; more gains nothing.
constexpr std::size_t copied_max = 32 * 1024;

// Copying this many octets costs about as much as one more range in a gather write.
constexpr std::size_t copy_below = 1024;

// What one step of encode() may put into the buffer: two octets at a break and a short stretch.
constexpr std::size_t step_copied_max = copy_below + 2;

constexpr std::ptrdiff_t block_size = block_marks::size;

// What a block may grow to, were there two octets to put in before each, and what is overwritten
// behind it.
constexpr std::size_t block_copied_max = 4 * block_marks::size;

constexpr std::string_view end_of_data = "\r\n.\r\n";

bool is_eight_bit(char octet) { return static_cast<unsigned char>(octet) > 0x7f; }

/// What must be put in at a break. Encoding takes nothing away, ever: a CR goes out as it lies, and
/// if no LF follows, one is put in before what does.
std::string_view missing_at_break(char before, char octet)
{
    if (before == '\r')
        return octet == '.' ? "\n." : "\n";
    return octet == '\n' ? "\r" : ".";
}

/// Copies the block at `from`, mended, and returns the end of the copy. Behind each break all that
/// follows is copied again further to the right, a block's length whether needed or not: copies of
/// a fixed length cost less than asking how long they must be. So it reads a block beyond its own,
/// and writes one.
char* copy_block(const char* from, std::uint64_t breaks, char* to)
{
    std::memcpy(to, from, block_size);
    for (; breaks != 0; breaks &= breaks - 1) {
        const int at = std::countr_zero(breaks);
        const std::string_view missing = missing_at_break(from[at - 1], from[at]);
        std::memcpy(to + at, missing.data(), missing.size());
        to += missing.size();
        std::memcpy(to + at, from + at, block_size);
    }
    return to + block_size;
}

} // namespace

std::size_t data_encoder::encode(std::string_view input, std::vector<std::string_view>& out,
                                 std::size_t ranges_max)
{
    assert(ranges_max >= 2);
    if (out.empty())
        copied_size_ = 0;
    input = input.substr(0, taken_max);

    // A step takes the octet at a break together with the clean octets that follow it: at most two
    // ranges, what is put in and what it is put before.
    std::size_t taken = 0;
    while (taken < input.size() && out.size() + 2 <= ranges_max &&
           copied_max - copied_size_ >= step_copied_max) {
        const std::string_view rest = input.substr(taken);
        const scanned after = scan_lines(rest.front(), rest.substr(1));
        const std::string_view clean = rest.substr(0, 1 + after.clean);
        if (is_break(last_, rest.front()))
            copy(missing_at_break(last_, rest.front()), out);

        const bool alone = out.empty() && clean.size() == rest.size();
        const bool copied = clean.size() < copy_below && !alone;
        if (copied)
            copy(clean, out);
        else
            out.push_back(clean);
        note_taken(clean, after.eight_bit || is_eight_bit(clean.front()));
        taken += clean.size();
        if (copied)
            taken += copy_blocks(input.substr(taken), out);
    }
    return taken;
}

void data_encoder::note_taken(std::string_view octets, bool eight_bit)
{
    last_ = octets.back();
    eight_bit_ = eight_bit_ || eight_bit;
}

void data_encoder::copy(std::string_view octets, std::vector<std::string_view>& out)
{
    if (!copied_)
        copied_ = std::make_unique_for_overwrite<char[]>(copied_max);
    char* const place = copied_.get() + copied_size_;
    std::memcpy(place, octets.data(), octets.size());
    copied_size_ += octets.size();

    const bool continues = !out.empty() && out.back().data() + out.back().size() == place;
    if (continues)
        out.back() = {out.back().data(), out.back().size() + octets.size()};
    else
        out.emplace_back(place, octets.size());
}

/// Goes on with a stretch whose changes stand close together, called behind a copy() and with the
/// octet before `input` readable. Copies whole blocks and leaves the end of the input, and a stretch
/// that is worth pointing at, to encode(); returns how many octets it took.
std::size_t data_encoder::copy_blocks(std::string_view input, std::vector<std::string_view>& out)
{
    const char* const end = input.data() + input.size();
    const char* from = input.data();
    char* to = copied_.get() + copied_size_;
    const char* const room_end = copied_.get() + copied_max - block_copied_max;
    std::size_t clean_blocks = 0;
    bool eight_bit = false;
    while (end - from >= 2 * block_size && to <= room_end && clean_blocks * block_size < copy_below) {
        const block_marks seen = mark_block(from);
        to = copy_block(from, seen.breaks, to);
        from += block_size;
        eight_bit |= seen.eight_bit;
        clean_blocks = seen.breaks == 0 ? clean_blocks + 1 : 0;
    }

    const std::size_t taken = static_cast<std::size_t>(from - input.data());
    if (taken == 0)
        return 0;
    const std::size_t grown = static_cast<std::size_t>(to - copied_.get()) - copied_size_;
    out.back() = {out.back().data(), out.back().size() + grown};
    copied_size_ += grown;
    note_taken(input.substr(0, taken), eight_bit);
    return taken;
}

void data_encoder::finish(std::vector<std::string_view>& out)
{
    std::size_t there = 0; // of the line end before the lone dot
    if (last_ == '\n')
        there = 2;
    else if (last_ == '\r')
        there = 1;
    out.push_back(end_of_data.substr(there));
}

} // namespace postrider::smtp
