// SPDX-License-Identifier: MIT
// unit/net/tls_chunks: pieces that fill records, whatever the buffers.
#include "net/tls_chunks.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace postrider::net {
namespace {

struct walked {
    std::string all;
    std::vector<std::size_t> sizes;
    std::size_t copied = 0;
};

walked walk(const std::vector<std::string>& parts, std::size_t step_max = tls_chunks::record_octets_max)
{
    std::vector<asio::const_buffer> buffers;
    for (const std::string& p : parts)
        buffers.push_back(asio::buffer(p));
    const auto room = std::make_unique<tls_chunks::scratch>();
    walked w;
    for (tls_chunks chunks(buffers); !chunks.empty();) {
        const std::span<const char> chunk = chunks.next(*room);
        const std::size_t n = std::min(chunk.size(), step_max);
        w.all.append(chunk.data(), n);
        w.sizes.push_back(n);
        if (chunk.data() == room->data())
            w.copied += n;
        chunks.advance(n);
    }
    return w;
}

TEST(tls_chunks, large_buffers_are_not_copied)
{
    const walked w = walk({std::string(40'000, 'a')});
    EXPECT_EQ(w.sizes, (std::vector<std::size_t>{16'384, 16'384, 7232}));
    EXPECT_EQ(w.copied, 0u);
}

TEST(tls_chunks, small_ones_share_a_record)
{
    const walked w = walk({"one ", "", "two ", "three"});
    EXPECT_EQ(w.all, "one two three");
    EXPECT_EQ(w.sizes.size(), 1u);
}

TEST(tls_chunks, a_small_one_before_a_large_one)
{
    const walked w = walk({"head", std::string(40'000, 'a'), "tail"});
    EXPECT_EQ(w.all, "head" + std::string(40'000, 'a') + "tail");
    EXPECT_EQ(w.sizes, (std::vector<std::size_t>{16'384, 16'384, 7240}));
    EXPECT_EQ(w.copied, 16'384u + 7240u);
}

TEST(tls_chunks, any_steps)
{
    const std::vector<std::string> parts{"", "abc", "", "defgh", std::string(17'000, 'x'), "", "end", ""};
    std::string whole;
    for (const std::string& p : parts)
        whole += p;
    for (const std::size_t step : {1u, 2u, 7u, 60u, 16'383u})
        EXPECT_TRUE(walk(parts, step).all == whole) << step;
}

TEST(tls_chunks, nothing)
{
    EXPECT_TRUE(walk({}).sizes.empty());
    EXPECT_TRUE(walk({"", ""}).sizes.empty());
}

} // namespace
} // namespace postrider::net
