// SPDX-License-Identifier: MIT
#pragma once
// net/tls_chunks: buffers of any sizes, as pieces that fill records.
//
// A record of its own for each small buffer would cost 22 octets and an encryption each. What fills a
// record is handed on as it lies there; only smaller ones are put together.

#include "net/asio.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace postrider::net {

class tls_chunks {
public:
    static constexpr std::size_t record_octets_max = 16 * 1024;
    using scratch = std::array<char, record_octets_max>;

    explicit tls_chunks(std::span<const asio::const_buffer> all) : rest_(all) { skip_empty(); }

    bool empty() const noexcept { return rest_.empty(); }

    /// The next octets, at most a record of them, maybe inside `room`; empty at the end.
    std::span<const char> next(scratch& room) const
    {
        if (rest_.empty())
            return {};
        const std::span<const char> first = octets_of(rest_.front(), at_);
        if (first.size() >= record_octets_max || rest_.size() == 1)
            return first.first(std::min(first.size(), record_octets_max));
        return put_together(room);
    }

    void advance(std::size_t n)
    {
        while (n > 0) {
            const std::size_t here = std::min(n, rest_.front().size() - at_);
            at_ += here;
            n -= here;
            if (at_ == rest_.front().size()) {
                rest_ = rest_.subspan(1);
                at_ = 0;
            }
        }
        skip_empty();
    }

private:
    static std::span<const char> octets_of(const asio::const_buffer& b, std::size_t from)
    {
        return std::span(static_cast<const char*>(b.data()), b.size()).subspan(from);
    }

    std::span<const char> put_together(scratch& room) const
    {
        std::size_t filled = 0;
        std::size_t from = at_;
        for (const asio::const_buffer& b : rest_) {
            const std::span<const char> octets = octets_of(b, from);
            const std::size_t n = std::min(octets.size(), room.size() - filled);
            if (n > 0)
                std::memcpy(room.data() + filled, octets.data(), n);
            filled += n;
            from = 0;
            if (filled == room.size())
                break;
        }
        return {room.data(), filled};
    }

    void skip_empty()
    {
        while (!rest_.empty() && rest_.front().size() == at_) {
            rest_ = rest_.subspan(1);
            at_ = 0;
        }
    }

    std::span<const asio::const_buffer> rest_;
    std::size_t at_ = 0; // into the first
};

} // namespace postrider::net
