// SPDX-License-Identifier: MIT
// unit/net/address_lookup: both families at once, and one answer.
#include "net/address_lookup.hpp"

#include "support/sim_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace postrider::net {
namespace {

using namespace std::chrono_literals;
using dns::lookup_status;

class address_lookup_test : public testing::Test {
protected:
    void start(const char* host, std::chrono::milliseconds limit = 30s)
    {
        auto done = [this](address_answers a) {
            ++calls;
            got = std::move(a);
        };
        async_look_up_addresses(world, *dns::name::parse(host), limit,
                                asio::bind_cancellation_slot(stop.slot(), done));
    }

    asio::io_context context;
    std::shared_ptr<test::sim_world> world = std::make_shared<test::sim_world>(context, 1);
    asio::cancellation_signal stop;
    std::optional<address_answers> got;
    int calls = 0;
};

TEST_F(address_lookup_test, both_are_asked_at_the_same_time)
{
    world->dns("mx.example A 192.0.2.1\nmx.example AAAA 2001:db8::1");
    world->dns_delay = 100ms;
    start("mx.example");
    EXPECT_EQ(calls, 0);
    world->run();
    ASSERT_EQ(calls, 1);
    EXPECT_EQ(got->aaaa.records.size(), 1u);
    EXPECT_EQ(got->a.records.size(), 1u);
    EXPECT_LE(world->elapsed(), 300ms) << "one after the other would take as long as both";
}

TEST_F(address_lookup_test, silence_is_bounded)
{
    world->dns("silent.example SILENT");
    start("silent.example", 4s);
    world->run();
    ASSERT_EQ(calls, 1);
    EXPECT_EQ(got->a.status, lookup_status::timed_out);
    EXPECT_EQ(got->aaaa.status, lookup_status::timed_out);
    EXPECT_EQ(world->elapsed(), 4s);
}

TEST_F(address_lookup_test, cancelling_ends_both)
{
    world->dns("silent.example SILENT");
    start("silent.example");
    world->run(1s, [] { return false; });
    stop.emit(asio::cancellation_type::terminal);
    EXPECT_EQ(calls, 0) << "never inside the signal";
    world->settle();
    ASSERT_EQ(calls, 1);
    EXPECT_EQ(got->a.status, lookup_status::cancelled);
    EXPECT_EQ(got->aaaa.status, lookup_status::cancelled);
}

} // namespace
} // namespace postrider::net
