// SPDX-License-Identifier: MIT
#pragma once
// app/systemd: what the service manager gives a process that it starts, and what it is told in return.
//
// Sockets that it opened before (sd_listen_fds(3)), and one datagram for each thing that happens
// (sd_notify(3)). Both come through the environment and are meant for one process: the variables are read
// by the first call and taken away, so that programs which this one starts do not believe they are meant.

#include "net/clock.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::app {

/// A socket that was opened before the program was started; it is close-on-exec.
struct inherited_socket {
    int descriptor;
    std::string name; ///< FileDescriptorName=; without it that of the unit, "smtp.socket", or "unknown"
};

/// All of them, in the order of the unit. The first call must come before the process forks: the runner
/// makes it. They stay open as long as the process runs, and so go on collecting connections while
/// nobody accepts: who listens on one does so on a dup(2) of it. Throws std::system_error if the
/// environment speaks of sockets that are not there.
const std::vector<inherited_socket>& inherited_sockets();

/// The one with this name, or the only one if `name` is empty. Throws std::runtime_error, which names
/// those there are, if there is none or more than one.
const inherited_socket& inherited_socket_named(std::string_view name);

/// What the variables say: LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, for the process `own_pid`.
struct listen_variables {
    std::string pid, count, names;
};
std::vector<inherited_socket> parse_inherited(const listen_variables& said, long own_pid);
const inherited_socket& find_inherited(const std::vector<inherited_socket>& all, std::string_view name);

/// Tells the service manager how the process fares; nobody where nobody asked. What cannot be told is
/// left out: mail goes on. The socket is opened when this is made, so that a process that changes its
/// root or its user later is still heard.
class notifier {
public:
    notifier();
    ~notifier();
    notifier(const notifier&) = delete;
    notifier& operator=(const notifier&) = delete;

    bool somebody_listens() const noexcept { return socket_ >= 0; }

    void ready() const; ///< all services run; also after reloading()
    void reloading(net::time_point now) const;
    void stopping() const;
    void alive() const; ///< for the watchdog

    /// Within which time alive() has to be said again and again; nothing if nobody watches.
    std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

private:
    void tell(const std::string& assignments) const;

    int socket_ = -1;
    std::optional<std::chrono::microseconds> watchdog_;
};

} // namespace postrider::app
