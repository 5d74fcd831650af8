// SPDX-License-Identifier: MIT
// app/systemd_test: variables as systemd sets them, and a socket that listens to what it is told.

#include "app/systemd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace postrider::app {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::vector<inherited_socket> parsed(const char* pid, const char* count, const char* names)
{
    listen_variables said;
    said.pid = pid;
    said.count = count;
    said.names = names;
    return parse_inherited(said, 42);
}

std::string failure_of(const std::vector<inherited_socket>& all, std::string_view name)
{
    try {
        find_inherited(all, name);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "found";
}

TEST(inherited_sockets, have_the_names_of_the_unit)
{
    const auto all = parsed("42", "2", "smtp:submission");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].descriptor, 3);
    EXPECT_EQ(all[0].name, "smtp");
    EXPECT_EQ(all[1].descriptor, 4);
    EXPECT_EQ(all[1].name, "submission");
    EXPECT_EQ(find_inherited(all, "submission").descriptor, 4);
}

TEST(inherited_sockets, are_found_without_a_name_when_there_is_one)
{
    const auto one = parsed("42", "1", "");
    EXPECT_EQ(find_inherited(one, "").descriptor, 3);
    EXPECT_EQ(find_inherited(one, "").name, "unknown");
}

TEST(inherited_sockets, of_another_process_are_not_ours)
{
    EXPECT_TRUE(parsed("41", "1", "smtp").empty());
    EXPECT_TRUE(parsed("", "1", "smtp").empty());
    EXPECT_TRUE(parsed("42x", "1", "smtp").empty());
}

TEST(inherited_sockets, are_none_where_the_number_makes_no_sense)
{
    for (const char* count : {"", "0", "-1", "one", "1 ", "99999999999999999999"})
        EXPECT_TRUE(parsed("42", count, "smtp").empty()) << count;
    EXPECT_THROW(parsed("42", "100000", "smtp"), std::system_error);
}

TEST(inherited_sockets, that_are_missed_are_named)
{
    EXPECT_THAT(failure_of({}, "smtp"), HasSubstr("LISTEN_FDS"));
    const auto all = parsed("42", "2", "smtp:smtp");
    EXPECT_THAT(failure_of(all, "submission"), HasSubstr("'submission'; there is: 'smtp', 'smtp'"));
    EXPECT_THAT(failure_of(all, "smtp"), HasSubstr("which of the sockets"));
    EXPECT_THAT(failure_of(all, ""), HasSubstr("which of the sockets"));
}

/// A socket in the abstract namespace, in the place of a service manager.
class manager {
public:
    manager()
    {
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        name_ = "postrider-systemd-test-" + std::to_string(::getpid());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name_.data(), name_.size());
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0)
            throw std::runtime_error("bind: " + std::string(std::strerror(errno)));
        ::setenv("NOTIFY_SOCKET", ("@" + name_).c_str(), 1);
    }
    ~manager() { ::close(socket_); }

    std::string heard()
    {
        char text[512];
        const auto n = ::recv(socket_, text, sizeof text, 0);
        return n < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(n));
    }

private:
    int socket_;
    std::string name_;
};

TEST(notifier, tells_what_happens)
{
    manager m;
    const notifier tells;
    ASSERT_TRUE(tells.somebody_listens());
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr) << "left for other programs to find";
    tells.ready();
    EXPECT_EQ(m.heard(), "READY=1\nMAINPID=" + std::to_string(::getpid()));
    tells.reloading(net::time_point(1500us));
    EXPECT_EQ(m.heard(), "RELOADING=1\nMONOTONIC_USEC=1500");
    tells.stopping();
    EXPECT_EQ(m.heard(), "STOPPING=1");
    tells.alive();
    EXPECT_EQ(m.heard(), "WATCHDOG=1");
    EXPECT_EQ(m.heard(), "nothing");
}

TEST(notifier, never_waits_for_a_manager_that_does_not_read)
{
    manager m;
    const notifier tells;
    for (int i = 0; i < 10'000; ++i)
        tells.alive();
    EXPECT_EQ(m.heard(), "WATCHDOG=1");
}

TEST(notifier, tells_nobody_where_nobody_asked)
{
    for (const char* where : {"", "relative", "@", "/nowhere/at/all"}) {
        ::setenv("NOTIFY_SOCKET", where, 1);
        const notifier tells;
        EXPECT_FALSE(tells.somebody_listens()) << where;
        tells.ready();
    }
}

TEST(notifier, is_watched_only_if_it_is_meant)
{
    const auto watchdog = [](const std::string& pid, const char* limit) {
        ::setenv("WATCHDOG_PID", pid.c_str(), 1);
        ::setenv("WATCHDOG_USEC", limit, 1);
        return notifier().watchdog();
    };
    EXPECT_EQ(watchdog(std::to_string(::getpid()), "3000000"), 3s);
    EXPECT_EQ(watchdog("1", "3000000"), std::nullopt);
    EXPECT_EQ(watchdog("", "3000000"), 3s);
    EXPECT_EQ(watchdog("", "0"), std::nullopt);
    EXPECT_EQ(watchdog("", "soon"), std::nullopt);
    EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
}

} // namespace
} // namespace postrider::app
