// SPDX-License-Identifier: MIT
// app/servers: the kinds of server, which differ in what they listen on.

#include "postrider/app/servers.hpp"

#include "app/stream_server.hpp"
#include "app/systemd.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace postrider::app {
namespace {

constexpr unsigned mode_max = 0777;

net::endpoint path_endpoint(const std::string& path)
{
    auto where = net::endpoint::parse("unix:" + path);
    if (!where)
        throw std::invalid_argument(where.problem().what);
    return *std::move(where);
}

/// A descriptor of our own: the manager's stays open for as long as the process, and collects
/// connections while nobody listens.
std::unique_ptr<net::acceptor> inherited_acceptor(asio::any_io_executor executor, const std::string& name)
{
    const inherited_socket& given = inherited_socket_named(name);
    const int own = ::fcntl(given.descriptor, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        throw std::system_error(errno, std::system_category(),
                                fmt::format("using the socket \"{}\"", base::escaped(given.name, 256)));
    try {
        return std::make_unique<net::acceptor>(std::move(executor), own);
    } catch (...) {
        ::close(own);
        throw;
    }
}

} // namespace

// ---- what they have in common ---------------------------------------------------------------

stream_server::stream_server(std::shared_ptr<engine> what, std::string name)
    : service(std::move(name)), engine_(std::move(what))
{
}

stream_server::~stream_server() = default;

stream_server& stream_server::patience(std::chrono::milliseconds stopping)
{
    if (stopping < std::chrono::milliseconds::zero())
        throw std::invalid_argument("patience() of a server is not negative");
    engine_->patience = stopping;
    return *this;
}

stream_server& stream_server::connections_max(std::size_t n)
{
    engine_->limit(n);
    return *this;
}

std::size_t stream_server::connections() const noexcept { return engine_->connections(); }

std::string stream_server::listening() const
{
    const net::endpoint* const where = engine_->where();
    return where ? where->to_string() : std::string();
}

std::uint16_t stream_server::listening_port() const noexcept
{
    const net::endpoint* const where = engine_->where();
    return where && !where->is_unix() ? where->port() : std::uint16_t(0);
}

void stream_server::on_privileged_start() { engine_->listen(loop()); }

void stream_server::on_start() { engine_->accept(log()); }

eventually<void> stream_server::on_stop() { return engine_->stop(); }

void stream_server::on_abandon() noexcept { engine_->abandon(); }

// ---- the kinds ------------------------------------------------------------------------------

tcp_server::tcp_server(const std::string& address, std::uint16_t port, std::shared_ptr<factory> makes)
    : stream_server(engine::at_address(address, port, std::move(makes)), {})
{
}

std::uint16_t tcp_server::port() const noexcept { return listening_port(); }

unix_server::unix_server(std::string path, std::shared_ptr<factory> makes, unsigned mode)
    : stream_server(std::make_shared<engine>(
                        [where = path_endpoint(path), mode](asio::any_io_executor executor) {
                            return std::make_unique<net::acceptor>(std::move(executor), where, mode);
                        },
                        std::move(makes)),
                    {})
{
    if (mode > mode_max)
        throw std::invalid_argument(fmt::format("{:o} is no mode of a socket", mode));
}

inherited_server::inherited_server(std::string socket, std::shared_ptr<factory> makes)
    : stream_server(std::make_shared<engine>(
                        [name = std::move(socket)](asio::any_io_executor executor) {
                            return inherited_acceptor(std::move(executor), name);
                        },
                        std::move(makes)),
                    {})
{
}

} // namespace postrider::app
