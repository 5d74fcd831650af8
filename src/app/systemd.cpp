// SPDX-License-Identifier: MIT
// app/systemd: the two protocols as their manual pages describe them, which promise that they stay.

#include "app/systemd.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace postrider::app {
namespace {

constexpr int first_descriptor = 3; // SD_LISTEN_FDS_START
constexpr int sockets_max = 1024;

/// The value of a variable, which is gone afterwards.
std::string take_variable(const char* name)
{
    const char* value = std::getenv(name);
    std::string taken = value == nullptr ? "" : value;
    ::unsetenv(name);
    return taken;
}

template <class Number>
std::optional<Number> number_in(std::string_view text)
{
    Number value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::vector<inherited_socket> read_environment()
{
    listen_variables said;
    said.pid = take_variable("LISTEN_PID");
    said.count = take_variable("LISTEN_FDS");
    said.names = take_variable("LISTEN_FDNAMES");
    auto all = parse_inherited(said, ::getpid());
    for (const inherited_socket& one : all)
        if (::fcntl(one.descriptor, F_SETFD, FD_CLOEXEC) < 0)
            throw std::system_error(
                errno, std::generic_category(),
                fmt::format("LISTEN_FDS={}, but descriptor {} cannot be used", said.count, one.descriptor));
    return all;
}

std::string names_of(const std::vector<inherited_socket>& all)
{
    std::string names;
    for (const inherited_socket& one : all)
        names += fmt::format("{}'{}'", names.empty() ? "" : ", ", base::escaped(one.name, 256));
    return names;
}

/// A path, or a name in the abstract namespace behind an '@'. Nothing if it is neither.
std::optional<std::pair<sockaddr_un, socklen_t>> address_of(const std::string& where)
{
    sockaddr_un address{};
    if (where.size() < 2 || where.size() >= sizeof address.sun_path || (where[0] != '/' && where[0] != '@'))
        return std::nullopt;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, where.data(), where.size());
    if (where[0] == '@')
        address.sun_path[0] = '\0';
    const std::size_t end_of_path = where[0] == '/' ? 1 : 0;
    return std::pair(address,
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + where.size() + end_of_path));
}

int connect_to(const std::string& where)
{
    const auto address = address_of(where);
    if (!address)
        return -1;
    const int made = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (made >= 0 &&
        ::connect(made, reinterpret_cast<const sockaddr*>(&address->first), address->second) == 0)
        return made;
    if (made >= 0)
        ::close(made);
    return -1;
}

std::optional<std::chrono::microseconds> wanted_watchdog()
{
    const std::string pid = take_variable("WATCHDOG_PID"), limit = take_variable("WATCHDOG_USEC");
    const auto microseconds = number_in<std::int64_t>(limit);
    if (!microseconds || *microseconds <= 0 || (!pid.empty() && number_in<long>(pid) != ::getpid()))
        return std::nullopt;
    return std::chrono::microseconds(*microseconds);
}

} // namespace

std::vector<inherited_socket> parse_inherited(const listen_variables& said, long own_pid)
{
    const auto count = number_in<int>(said.count);
    if (number_in<long>(said.pid) != own_pid || !count || *count <= 0)
        return {};
    if (*count > sockets_max)
        throw std::system_error(std::make_error_code(std::errc::too_many_files_open),
                                fmt::format("LISTEN_FDS={}", *count));
    std::vector<inherited_socket> all;
    std::string_view names = said.names;
    for (int i = 0; i < *count; ++i) {
        const std::string_view name = names.substr(0, names.find(':'));
        names.remove_prefix(std::min(name.size() + 1, names.size()));
        all.push_back({first_descriptor + i, name.empty() ? "unknown" : std::string(name)});
    }
    return all;
}

const inherited_socket& find_inherited(const std::vector<inherited_socket>& all, std::string_view name)
{
    const auto is_meant = [name](const inherited_socket& one) { return name.empty() || one.name == name; };
    const auto found = std::find_if(all.begin(), all.end(), is_meant);
    if (all.empty())
        throw std::runtime_error(
            "the program was started without sockets (LISTEN_FDS): see systemd.socket(5)");
    if (found == all.end())
        throw std::runtime_error(
            fmt::format("the program was started without a socket named '{}'; there is: {}",
                        base::escaped(name, 256), names_of(all)));
    if (std::find_if(found + 1, all.end(), is_meant) != all.end())
        throw std::runtime_error(fmt::format("which of the sockets is meant? There are: {}", names_of(all)));
    return *found;
}

const std::vector<inherited_socket>& inherited_sockets()
{
    static const std::vector<inherited_socket> all = read_environment();
    return all;
}

const inherited_socket& inherited_socket_named(std::string_view name)
{
    return find_inherited(inherited_sockets(), name);
}

notifier::notifier() : socket_(connect_to(take_variable("NOTIFY_SOCKET"))), watchdog_(wanted_watchdog()) {}

notifier::~notifier()
{
    if (somebody_listens())
        ::close(socket_);
}

// A daemon is another process than the one that was started.
void notifier::ready() const { tell(fmt::format("READY=1\nMAINPID={}", ::getpid())); }

void notifier::reloading(net::time_point now) const
{
    const auto since_boot = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
    tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", since_boot.count()));
}

void notifier::stopping() const { tell("STOPPING=1"); }

void notifier::alive() const { tell("WATCHDOG=1"); }

// It must not keep the loop waiting: a manager that does not read misses something.
void notifier::tell(const std::string& assignments) const
{
    if (somebody_listens())
        (void)::send(socket_, assignments.data(), assignments.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

} // namespace postrider::app
