// SPDX-License-Identifier: MIT
// unit/net/tls_wire: a BIO that copies nothing it need not, and keeps no more than it may.
#include "net/tls_wire.hpp"

#include "support/sim_pair.hpp"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

namespace postrider::net {
namespace {

struct bio_free {
    void operator()(BIO* b) const { BIO_free(b); }
};

class tls_wire_test : public testing::Test {
protected:
    void open(test::sim_pair_rules rules)
    {
        test::sim_pair pair = test::make_sim_pair(context.get_executor(), rules);
        far = std::move(pair.second);
        over(std::move(pair.first));
    }

    void over(std::unique_ptr<stream> under)
    {
        wire.emplace(std::move(under));
        bio.reset(wire->new_bio());
    }

    int read(std::size_t n)
    {
        std::string into(n, '\0');
        const int got = BIO_read(bio.get(), into.data(), static_cast<int>(n));
        heard.append(into, 0, got > 0 ? static_cast<std::size_t>(got) : 0);
        return got;
    }

    int write(std::string_view octets)
    {
        return BIO_write(bio.get(), octets.data(), static_cast<int>(octets.size()));
    }

    void far_says(std::string_view octets)
    {
        const asio::const_buffer all(octets.data(), octets.size());
        error_code ec;
        ASSERT_EQ(far->write_now({&all, 1}, ec), octets.size());
    }

    asio::io_context context;
    std::unique_ptr<stream> far;
    std::optional<tls_wire> wire;
    std::unique_ptr<BIO, bio_free> bio; // stands on the wire
    std::string heard;
};

TEST_F(tls_wire_test, reads_straight_from_below_and_then_what_was_kept)
{
    open({});
    EXPECT_LE(read(10), 0);
    EXPECT_TRUE(BIO_should_read(bio.get()));
    far_says("abc");
    EXPECT_EQ(read(2), 2);
    EXPECT_EQ(read(10), 1);

    const asio::mutable_buffer room = wire->begin_read();
    far_says("xyz");
    EXPECT_LE(read(10), 0) << "the next octets belong to the read that is under way";
    std::memcpy(room.data(), "def", 3);
    wire->came({}, 3);
    EXPECT_EQ(read(10), 3);
    EXPECT_EQ(read(10), 3);
    EXPECT_EQ(heard, "abcdefxyz");
    EXPECT_EQ(wire->heard(), heard);
    wire->forget();
    EXPECT_EQ(wire->heard(), "");
}

TEST_F(tls_wire_test, the_end_comes_after_what_was_kept)
{
    open({});
    std::memcpy(wire->begin_read().data(), "def", 3);
    wire->came(asio::error::eof, 3);
    EXPECT_EQ(wire->input_end(), asio::error::eof);
    EXPECT_EQ(read(10), 3);
    EXPECT_LE(read(10), 0);
    EXPECT_TRUE(BIO_should_retry(bio.get())) << "OpenSSL is told of no end";
}

TEST_F(tls_wire_test, room_grows_over_streams_that_know_nothing_and_shrinks_again)
{
    open({.knows_now = false});
    const std::size_t rest = wire->begin_read().size();
    EXPECT_EQ(rest, 1024u) << "that is what an idle connection costs";
    wire->came({}, rest);
    EXPECT_EQ(read(rest), static_cast<int>(rest));
    EXPECT_LE(read(1), 0);
    EXPECT_GT(wire->begin_read().size(), 16'384u);
    wire->came({}, 100);
    EXPECT_EQ(read(1000), 100);
    EXPECT_EQ(wire->begin_read().size(), rest);
}

TEST_F(tls_wire_test, room_stays_small_where_the_rest_can_be_had_at_once)
{
    open({});
    const std::size_t rest = wire->begin_read().size();
    wire->came({}, rest);
    far_says("more");
    EXPECT_EQ(read(rest), static_cast<int>(rest));
    EXPECT_EQ(read(100), 4);
    EXPECT_LE(read(100), 0);
    EXPECT_EQ(wire->begin_read().size(), rest);
}

TEST_F(tls_wire_test, what_does_not_leave_at_once_leaves_in_order)
{
    open({.window = 4});
    EXPECT_EQ(write("abcdef"), 6);
    ASSERT_TRUE(wire->owes());
    const asio::const_buffer first = wire->begin_write();
    EXPECT_EQ(std::string_view(static_cast<const char*>(first.data()), first.size()), "ef");
    EXPECT_EQ(write("ghi"), 3) << "behind, and the buffer that is being written stays where it is";
    EXPECT_EQ(std::string_view(static_cast<const char*>(first.data()), first.size()), "ef");
    wire->left({}, 1);
    const asio::const_buffer second = wire->begin_write();
    EXPECT_EQ(std::string_view(static_cast<const char*>(second.data()), second.size()), "f");
    wire->left(asio::error::operation_aborted, 1);
    EXPECT_FALSE(wire->output_end()) << "who cancels has not lost the connection";
    const asio::const_buffer third = wire->begin_write();
    EXPECT_EQ(std::string_view(static_cast<const char*>(third.data()), third.size()), "ghi");
    wire->left({}, 3);
    EXPECT_FALSE(wire->owes());
}

TEST_F(tls_wire_test, a_peer_that_reads_nothing_gets_so_many_answers)
{
    open({.window = 1});
    std::size_t taken = 0;
    while (taken < (1 << 20) && write("0123456789") == 10)
        taken += 10;
    EXPECT_TRUE(BIO_should_write(bio.get()));
    EXPECT_GT(taken, 32u * 1024u);
    EXPECT_LE(taken, 64u * 1024u + 10u);
}

TEST_F(tls_wire_test, after_the_end_of_output_all_is_taken_and_nothing_kept)
{
    open({.window = 1});
    EXPECT_EQ(write("abc"), 3);
    (void)wire->begin_write();
    wire->left(asio::error::connection_reset, 0);
    EXPECT_EQ(wire->output_end(), asio::error::connection_reset);
    EXPECT_FALSE(wire->owes());
    EXPECT_EQ(write("def"), 3);
    EXPECT_FALSE(wire->owes());
}

class throwing_stream final : public stream {
public:
    explicit throwing_stream(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    asio::any_io_executor get_executor() override { return executor_; }
    void async_read(asio::mutable_buffer, handler) override {}
    void async_write(std::span<const asio::const_buffer>, handler) override {}
    std::size_t read_now(asio::mutable_buffer, error_code&) override { throw std::runtime_error("read"); }
    std::size_t write_now(std::span<const asio::const_buffer>, error_code&) override
    {
        throw std::runtime_error("write");
    }
    void cancel() override {}
    void close() noexcept override {}
    std::string peer() const override { return "nobody"; }

private:
    asio::any_io_executor executor_;
};

TEST_F(tls_wire_test, no_exception_passes_through_openssl)
{
    over(std::make_unique<throwing_stream>(context.get_executor()));
    EXPECT_LE(read(1), 0);
    EXPECT_TRUE(wire->input_end());
    EXPECT_EQ(write("x"), 1);
    EXPECT_TRUE(wire->output_end());
}

} // namespace
} // namespace postrider::net
