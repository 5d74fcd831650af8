// SPDX-License-Identifier: MIT
// net/listening_socket: the system's calls in their order, and what may go wrong between them.

#include "net/listening_socket.hpp"

#include "net/socket_address.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace postrider::net {
namespace {

constexpr int backlog = 4096; // the system cuts it down to net.core.somaxconn
constexpr int replacements_max = 3;

[[noreturn]] void fail(int number, std::string_view doing, const endpoint& where, std::string_view why = "")
{
    throw std::system_error(number, std::system_category(),
                            fmt::format("{} {}{}", doing, where.to_string(), why));
}

[[noreturn]] void cannot_listen(const endpoint& where, std::string_view why = "")
{
    fail(errno, "cannot listen on", where, why);
}

void require(int result, const endpoint& where)
{
    if (result < 0)
        cannot_listen(where);
}

int option(int socket, int which)
{
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(socket, SOL_SOCKET, which, &value, &size) == 0 ? value : -1;
}

endpoint own_name(int socket)
{
    socket_address name;
    if (::getsockname(socket, name.data(), name.size_to_fill()) < 0)
        throw std::system_error(errno, std::system_category(),
                                fmt::format("descriptor {} is no socket", socket));
    return name.to_endpoint();
}

bool same(const struct stat& a, const struct stat& b)
{
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_ctim.tv_sec == b.st_ctim.tv_sec &&
           a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

/// Whether the system says that nobody listens there. A full backlog, a permission that is missing or a
/// socket of another kind are somebody.
bool deserted(const socket_address& place)
{
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return false;
    const bool refused = ::connect(probe, place.data(), place.size()) < 0 && errno == ECONNREFUSED;
    ::close(probe);
    return refused;
}

/// Makes way for a socket at this path, or throws and says who stands there. The file is compared with
/// what it was before the question, for meanwhile somebody else may have begun to listen.
void remove_deserted(const endpoint& where, const socket_address& place)
{
    struct stat before, after;
    if (::lstat(where.path().c_str(), &before) < 0)
        return; // gone by itself
    errno = EADDRINUSE;
    if (!S_ISSOCK(before.st_mode))
        cannot_listen(where, " (what stands there is no socket)");
    if (!deserted(place)) {
        errno = EADDRINUSE;
        cannot_listen(where, " (somebody listens there)");
    }
    if (::lstat(where.path().c_str(), &after) == 0 && same(before, after))
        require(::unlink(where.path().c_str()), where);
}

} // namespace

listening_socket listening_socket::open(const endpoint& where, std::optional<unsigned> mode)
{
    const int family = where.is_unix() ? AF_UNIX : where.is_v6() ? AF_INET6 : AF_INET;
    const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    require(socket, where);
    listening_socket made(socket, where);
    if (where.is_unix())
        made.begin_at_path(mode);
    else
        made.begin_at_address();
    return made;
}

listening_socket listening_socket::take_over(int socket)
{
    const endpoint where = own_name(socket);
    if (option(socket, SO_TYPE) != SOCK_STREAM || option(socket, SO_ACCEPTCONN) != 1)
        fail(EINVAL, "the socket that was handed over does not listen:", where);
    const int flags = ::fcntl(socket, F_GETFL);
    if (flags < 0 || ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) < 0 ||
        ::fcntl(socket, F_SETFD, FD_CLOEXEC) < 0)
        cannot_listen(where);
    return listening_socket(socket, where);
}

listening_socket::listening_socket(listening_socket&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), where_(std::move(other.where_)),
      made_(std::exchange(other.made_, std::nullopt))
{
}

void listening_socket::begin_at_address()
{
    const int yes = 1;
    require(::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), where_);
    if (where_.is_v6())
        require(::setsockopt(socket_, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes), where_);
    const socket_address place(where_);
    require(::bind(socket_, place.data(), place.size()), where_);
    require(::listen(socket_, backlog), where_);
    where_ = own_name(socket_);
}

// bind() gives the file the socket's own mode, less the umask: setting that first means that there is
// no moment of more. The umask's part is added afterwards, and only then does anybody get in. Changing
// the umask instead would change it for every thread of the program.
void listening_socket::begin_at_path(std::optional<unsigned> mode)
{
    if (mode)
        require(::fchmod(socket_, *mode), where_);
    const socket_address place(where_);
    int bound = ::bind(socket_, place.data(), place.size());
    for (int tries = 0; bound < 0 && errno == EADDRINUSE && tries < replacements_max; ++tries) {
        remove_deserted(where_, place);
        bound = ::bind(socket_, place.data(), place.size());
    }
    require(bound, where_);

    struct stat here;
    require(::lstat(where_.path().c_str(), &here), where_);
    made_ = file{here.st_dev, here.st_ino};
    if (mode && (here.st_mode & 07777) != *mode)
        require(::chmod(where_.path().c_str(), *mode), where_);
    require(::listen(socket_, backlog), where_);
}

// As long as the socket is open, the system gives its file's number to no other: so the file goes first.
void listening_socket::close() noexcept
{
    struct stat here;
    if (made_ && ::lstat(where_.path().c_str(), &here) == 0 && here.st_dev == made_->device &&
        here.st_ino == made_->inode)
        ::unlink(where_.path().c_str());
    made_.reset();
    if (socket_ >= 0)
        ::close(std::exchange(socket_, -1));
}

} // namespace postrider::net
