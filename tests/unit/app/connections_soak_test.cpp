// SPDX-License-Identifier: MIT
// unit/app/connections: ten thousand of them, one after the other, leave nothing behind.

#include "postrider/app/application.hpp"
#include "postrider/app/clients.hpp"
#include "postrider/app/servers.hpp"

#include <gtest/gtest.h>

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>

namespace postrider::app {
namespace {

std::ptrdiff_t open_descriptors()
{
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

// The sanitizers bring an allocator of their own, which this does not see: there it is 0, and they look
// for leaks themselves.
std::size_t octets_in_use() { return ::mallinfo2().uordblks; }

/// Answers, and closes.
class answering final : public protocol {
public:
    void data_received(std::string_view) override
    {
        transport().write("fine\r\n");
        transport().lose_connection();
    }
};

/// Says something; every third one does not wait for the other side's end.
class asking final : public protocol {
public:
    explicit asking(std::size_t number) : number_(number) {}
    void connection_made() override { transport().write("hello\r\n"); }
    void data_received(std::string_view) override
    {
        if (number_ % 3 == 0)
            transport().abort_connection();
    }

private:
    std::size_t number_;
};

/// Connects again whenever it was lost, and looks around after each.
class again final : public client_factory {
public:
    explicit again(std::size_t most) : most_(most) {}

    std::size_t ended = 0, failed = 0;
    std::ptrdiff_t descriptors = 0, descriptors_most = 0;
    std::size_t octets = 0, octets_after = 0; // in use after the first thousand, and after the last

    std::shared_ptr<protocol> build_protocol(const std::string&) override
    {
        return std::make_shared<asking>(ended);
    }

    void connection_lost(connector& which, const reason&) override
    {
        ++ended;
        if (ended == 1'000) {
            descriptors = open_descriptors();
            octets = octets_in_use();
        }
        if (ended % 500 == 0 && ended > 1'000)
            descriptors_most = std::max(descriptors_most, open_descriptors());
        if (ended == most_) {
            octets_after = octets_in_use();
            which.loop().stop();
        }
        which.connect();
    }

    void connection_failed(connector& which, const reason& why) override
    {
        if (!which.active())
            return;
        ++failed;
        client_factory::connection_failed(which, why);
        which.loop().stop();
    }

private:
    std::size_t most_;
};

TEST(connections, ten_thousand_leave_nothing_behind)
{
    constexpr std::size_t most = 10'000;
    constexpr int at_a_time = 10;
    application soak("soak");
    const auto server = soak.emplace<tcp_server>("127.0.0.1", 0, factory_of<answering>());
    soak.start();
    const auto makes = std::make_shared<again>(most);
    for (int i = 0; i < at_a_time; ++i)
        soak.emplace<tcp_client>("127.0.0.1", server->port(), makes);
    EXPECT_EQ(soak.loop().run(), 0);
    EXPECT_GE(makes->ended, most);
    EXPECT_EQ(makes->failed, 0u);
    // Those that stand at one moment are not those of another: each may be there or not, at both ends.
    EXPECT_LE(makes->descriptors_most, makes->descriptors + 2 * at_a_time);
    // A quarter of a megabyte in nine thousand connections: 29 octets for each.
    EXPECT_LE(makes->octets_after, makes->octets + 256 * 1024);
}

} // namespace
} // namespace postrider::app
