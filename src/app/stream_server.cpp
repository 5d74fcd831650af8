// SPDX-License-Identifier: MIT
// app/stream_server: from listening to the end of the last connection.

#include "app/stream_server.hpp"

#include "app/loop_engine.hpp"
#include "base/text.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace postrider::app {
namespace {

asio::ip::address ip_address(const std::string& text)
{
    error_code failed;
    auto address = asio::ip::make_address(text, failed);
    // inet_pton stops at a NUL and would take what stands before it.
    if (failed || text.find('\0') != std::string::npos)
        throw std::invalid_argument(fmt::format(
            "a server listens on an IP address, such as \"127.0.0.1\" or \"::\", and not on \"{}\"",
            base::escaped(text, 80)));
    return address;
}

} // namespace

stream_server::engine::engine(opener opens, std::shared_ptr<app::factory> makes)
    : opens_(std::move(opens)), factory_(std::move(makes))
{
    if (!factory_)
        throw std::invalid_argument("a server needs a factory, which makes the protocol for each connection");
}

std::shared_ptr<stream_server::engine> stream_server::engine::at_address(const std::string& address,
                                                                         std::uint16_t port,
                                                                         std::shared_ptr<app::factory> makes)
{
    const net::endpoint where(ip_address(address), port);
    return std::make_shared<engine>(
        [where](asio::any_io_executor executor) {
            return std::make_unique<net::acceptor>(std::move(executor), where);
        },
        std::move(makes));
}

stream_server::engine::~engine() { abandon(); }

// Of a server that was not stopped: nobody waits for anything any more.
void stream_server::engine::abandon() noexcept
{
    if (!loop_)
        return;
    acceptor_.reset();
    handshakes_.reset();
    alarm_.emit(asio::cancellation_type::terminal);
    for (const auto& [number, one] : std::exchange(connections_, {}))
        if (one)
            one->cut(reason(make_error_code(error::cancelled), "the server is gone"));
    use_.reset();
    loop_ = nullptr;
}

void stream_server::engine::limit(std::size_t connections)
{
    if (connections == 0)
        throw std::invalid_argument("connections_max() of a server is at least 1");
    connections_max_ = connections;
    if (use_)
        accept_while_there_is_room();
}

std::size_t stream_server::engine::connections() const noexcept
{
    return connections_.size() + (handshakes_ ? handshakes_->size() : 0);
}

const net::endpoint* stream_server::engine::where() const noexcept
{
    return acceptor_ ? &acceptor_->where() : nullptr;
}

// ---- the start ------------------------------------------------------------------------------

void stream_server::engine::listen(app::loop& where)
{
    loop_ = &where;
    if (prepare)
        prepare();
    acceptor_ = opens_(where.get_executor());
}

void stream_server::engine::accept(logger log)
{
    log_ = std::move(log);
    use_.emplace(factory_);
    if (secure)
        handshakes_ = std::make_unique<handshakes>(
            *loop_, secure, log_,
            [weak = weak_from_this()](std::uint64_t number, std::unique_ptr<stream> made) {
                if (const auto self = weak.lock())
                    made ? self->begin(number, std::move(made)) : self->on_ended(number);
            });
    log_.info(fmt::format("listening on {}", acceptor_->where().to_string()));
    accept_while_there_is_room();
}

// ---- connections ----------------------------------------------------------------------------

void stream_server::engine::accept_while_there_is_room()
{
    if (!acceptor_ || full())
        return;
    acceptor_->start(
        [weak = weak_from_this()](std::unique_ptr<stream> over) {
            if (const auto self = weak.lock())
                self->on_accepted(std::move(over));
        },
        [weak = weak_from_this()](error_code why) {
            if (const auto self = weak.lock())
                self->on_trouble(why);
        });
}

void stream_server::engine::on_accepted(std::unique_ptr<stream> over)
{
    const std::uint64_t number = ++last_number_;
    if (handshakes_)
        handshakes_->begin(number, std::move(over));
    else
        begin(number, std::move(over));
    if (!full() || !acceptor_)
        return;
    acceptor_->pause();
    log_.limited(
        log_level::warning, "full",
        fmt::format("{} connections are open, as many as allowed: who comes now waits", connections_max_));
}

void stream_server::engine::on_trouble(error_code why)
{
    log_.limited(log_level::warning, "trouble",
                 fmt::format("connections have to wait, the system has no room for more: {}", why.message()));
}

// The program's own code runs in here, build_protocol(), and may stop us.
void stream_server::engine::begin(std::uint64_t number, std::unique_ptr<stream> over)
{
    connections_.emplace(number, nullptr);
    std::shared_ptr<connection> made;
    const auto make = [&] {
        made = connection::begin(*loop_, factory_, std::move(over), fmt::format("server,{}", number),
                                 [weak = weak_from_this(), number](const reason&) {
                                     if (const auto self = weak.lock())
                                         self->on_ended(number);
                                 });
    };
    if (guarded(*loop_, log_.prefix(), make)) {
        on_ended(number);
        return;
    }
    connections_[number] = made;
    if (end_)
        made->request_stop();
}

void stream_server::engine::on_ended(std::uint64_t number)
{
    connections_.erase(number);
    if (end_ && connections() == 0)
        finish();
    else
        accept_while_there_is_room();
}

// ---- the end --------------------------------------------------------------------------------

eventually<void> stream_server::engine::stop()
{
    acceptor_.reset();
    if (connections() == 0) {
        finish();
        return {};
    }
    end_ = std::make_shared<gate>();
    if (handshakes_)
        handshakes_->cancel_all();
    for (const auto& [number, one] : connections_)
        if (one)
            one->request_stop();
    auto on_alarm = [weak = weak_from_this()](error_code ec) {
        const auto self = weak.lock();
        if (!ec && self)
            self->cut_all();
    };
    loop_->engine().wait(patience, asio::bind_cancellation_slot(alarm_.slot(), std::move(on_alarm)));
    return wait_for_end(shared_from_this());
}

asio::awaitable<void> stream_server::engine::wait_for_end(std::shared_ptr<engine> self)
{
    const std::shared_ptr<gate> end = self->end_;
    if (end)
        co_await end->wait();
}

void stream_server::engine::cut_all()
{
    log_.warning(fmt::format("{} connections have not come to an end in {} ms and are cut",
                             connections_.size(), patience.count()));
    const auto all = connections_;
    for (const auto& [number, one] : all)
        if (one)
            one->cut(reason(make_error_code(error::cancelled),
                            fmt::format("the server stopped, and the connection with {} had not come to an "
                                        "end in {} ms",
                                        one->peer(), patience.count())));
}

void stream_server::engine::finish()
{
    alarm_.emit(asio::cancellation_type::terminal);
    handshakes_.reset();
    use_.reset();
    loop_ = nullptr;
    if (const auto waiting = std::exchange(end_, nullptr))
        waiting->open();
}

} // namespace postrider::app
