// SPDX-License-Identifier: MIT
// sandbox/capture_server: one coroutine accepts on each address, one drives each session.
//
// All of them end when stop() closes what they wait for. Whatever is awaited may end after stop(), so
// `running()` is asked before the mailbox is touched again.

#include "sandbox/capture_server.hpp"

#include "base/text.hpp"
#include "net/watchdog.hpp"
#include "sandbox/conversation.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <set>
#include <stdexcept>
#include <utility>

namespace postrider::sandbox {

using tcp = asio::ip::tcp;
using smtp::server::answer;
namespace ask = smtp::server::ask;
namespace told = smtp::server::told;

namespace {

constexpr std::size_t read_octets = 64 * 1024;
constexpr std::size_t turned_away_max = 50; // sessions beyond the limit that are told so, at a time
constexpr std::chrono::milliseconds accept_pause{200};
constexpr std::chrono::seconds farewell_max{2};
constexpr std::size_t farewell_octets_max = 1u << 20;

std::string text_of(const tcp::endpoint& where)
{
    return net::endpoint(where.address(), where.port()).to_string();
}

tcp::acceptor listen(const asio::any_io_executor& executor, const tcp::endpoint& where, std::string_view name)
{
    if (!where.address().is_loopback())
        throw std::invalid_argument(
            fmt::format("{} is to listen on {}: the sandbox uses loopback addresses only",
                        base::escaped(name, 255), where.address().to_string()));
    error_code failed;
    tcp::acceptor acceptor(executor);
    acceptor.open(where.protocol(), failed);
    if (!failed)
        acceptor.set_option(asio::socket_base::reuse_address(true), failed);
    if (!failed && where.address().is_v6())
        acceptor.set_option(asio::ip::v6_only(true), failed);
    if (!failed)
        acceptor.bind(where, failed);
    if (!failed)
        acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (failed)
        throw boost::system::system_error(
            failed, fmt::format("cannot listen on {} for {}", text_of(where), base::escaped(name, 255)));
    return acceptor;
}

} // namespace

class capture_server::state : public std::enable_shared_from_this<state> {
public:
    class connection;

    state(std::shared_ptr<net::environment> world, mailbox& box, capture_options options, listener overhears)
        : world_(std::move(world)), box_(&box), options_(std::move(options)), overhears_(std::move(overhears))
    {
        if (options_.addresses.empty())
            throw std::invalid_argument(base::escaped(options_.smtp.name, 255) +
                                        " has no address to listen on");
        for (const asio::ip::address& address : options_.addresses) {
            acceptors_.push_back(listen(world_->executor(), {address, options_.port}, options_.smtp.name));
            options_.port = acceptors_.back().local_endpoint().port();
        }
    }

    void start()
    {
        for (tcp::acceptor& acceptor : acceptors_)
            asio::co_spawn(world_->executor(), accept(shared_from_this(), acceptor), asio::detached);
    }

    void stop();

    std::uint16_t port() const noexcept { return options_.port; }
    bool running() const noexcept { return box_ != nullptr; }

private:
    static asio::awaitable<void> accept(std::shared_ptr<state> self, tcp::acceptor& acceptor);
    static asio::awaitable<void> converse(std::shared_ptr<connection> client);
    void welcome(tcp::socket socket);

    std::shared_ptr<net::environment> world_;
    mailbox* box_; // null: stopped
    capture_options options_;
    listener overhears_;
    std::vector<tcp::acceptor> acceptors_;
    std::set<connection*> connections_;
    std::size_t unfinished_octets_ = 0; // of all messages on their way in
};

// One client, from accept to close.
class capture_server::state::connection {
public:
    connection(std::shared_ptr<state> server, tcp::socket socket, std::string client, bool busy)
        : busy_(busy), server_(std::move(server)), socket_(std::move(socket)), client_(std::move(client)),
          session_(server_->options_.smtp, [this](std::string_view line) { note('C', line); }),
          watchdog_(server_->world_, [this] { on_silence(); })
    {
        server_->connections_.insert(this);
    }

    ~connection()
    {
        forget_message();
        server_->connections_.erase(this);
    }

    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    bool busy() const noexcept { return busy_; }
    smtp::server::action resume(const smtp::server::event& what) { return session_.resume(what); }
    void note(char who, std::string_view text);
    void close() noexcept;

    asio::awaitable<smtp::server::event> receive(std::chrono::seconds wait);
    asio::awaitable<smtp::server::event> send(std::string_view octets, std::chrono::seconds wait);
    asio::awaitable<void> farewell();

    smtp::server::event decide(const ask::sender&) { return yes({2, 1, 0}, "sender ok"); }
    smtp::server::event decide(const ask::recipient&) { return yes({2, 1, 5}, "recipient ok"); }
    smtp::server::event decide(const ask::begin&);
    smtp::server::event decide(const ask::content& part);
    smtp::server::event decide(const ask::complete& done);

private:
    static smtp::server::event yes(enhanced_code status, std::string text)
    {
        return told::decision{answer{250, status, std::move(text)}};
    }

    void on_silence();
    smtp::server::event ended() const;
    void watch(std::chrono::seconds wait);
    void forget_message();
    captured_message captured(const smtp::server::transaction& envelope, const answer& reply);

    const bool busy_;
    std::shared_ptr<state> server_;
    tcp::socket socket_;
    std::string client_;
    conversation said_;
    smtp::server_session session_;
    net::watchdog watchdog_;
    bool silent_ = false; // the watchdog has ended the operation that was under way
    std::string content_;
    bool no_room_ = false;
    std::array<char, read_octets> input_;
};

// Accepting and driving ------------------------------------------------------------------------------

asio::awaitable<void> capture_server::state::accept(std::shared_ptr<state> self, tcp::acceptor& acceptor)
{
    while (self->running()) {
        error_code failed;
        tcp::socket socket =
            co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failed));
        if (!self->running())
            co_return;
        if (!failed) {
            self->welcome(std::move(socket));
            continue;
        }
        // Out of descriptors, most likely: the client waits in the backlog until one is free.
        const net::time_point later = self->world_->now() + accept_pause;
        co_await self->world_->async_wait_until(later, asio::redirect_error(asio::use_awaitable, failed));
    }
}

void capture_server::state::welcome(tcp::socket socket)
{
    error_code failed;
    const tcp::endpoint peer = socket.remote_endpoint(failed);
    if (failed || connections_.size() >= options_.sessions_max + turned_away_max)
        return;
    socket.set_option(tcp::no_delay(true), failed);
    const bool busy = connections_.size() >= options_.sessions_max;
    auto client = std::make_shared<connection>(shared_from_this(), std::move(socket), text_of(peer), busy);
    client->note('!', "connected from " + text_of(peer));
    asio::co_spawn(world_->executor(), converse(std::move(client)), asio::detached);
}

asio::awaitable<void> capture_server::state::converse(std::shared_ptr<connection> client)
{
    smtp::server::event happened = told::connected{client->busy()};
    bool spoke_last = false; // the client may still have to read what we said
    for (;;) {
        const smtp::server::action next = client->resume(happened);
        if (const auto* receive = std::get_if<ask::receive>(&next)) {
            spoke_last = false;
            happened = co_await client->receive(receive->wait);
        } else if (const auto* send = std::get_if<ask::send>(&next)) {
            happened = co_await client->send(send->octets, send->wait);
            spoke_last = std::holds_alternative<told::sent>(happened);
        } else if (const auto* sender = std::get_if<ask::sender>(&next)) {
            happened = client->decide(*sender);
        } else if (const auto* recipient = std::get_if<ask::recipient>(&next)) {
            happened = client->decide(*recipient);
        } else if (const auto* begin = std::get_if<ask::begin>(&next)) {
            happened = client->decide(*begin);
        } else if (const auto* content = std::get_if<ask::content>(&next)) {
            happened = client->decide(*content);
        } else if (const auto* complete = std::get_if<ask::complete>(&next)) {
            happened = client->decide(*complete);
        } else {
            client->note('!', std::get<ask::close>(next).why);
            break;
        }
    }
    if (spoke_last)
        co_await client->farewell();
}

void capture_server::state::stop()
{
    box_ = nullptr;
    error_code ignored;
    for (tcp::acceptor& acceptor : acceptors_)
        acceptor.close(ignored);
    for (connection* client : connections_)
        client->close();
}

// One session ----------------------------------------------------------------------------------------

void capture_server::state::connection::note(char who, std::string_view text)
{
    const spoken_line& line = said_.add(who, text);
    if (server_->overhears_ && server_->running())
        server_->overhears_(server_->options_.smtp.name, client_, line);
}

void capture_server::state::connection::close() noexcept
{
    error_code ignored;
    socket_.close(ignored);
    watchdog_.rest();
}

void capture_server::state::connection::on_silence()
{
    silent_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

void capture_server::state::connection::watch(std::chrono::seconds wait)
{
    silent_ = false;
    watchdog_.watch(server_->world_->now() + wait);
}

smtp::server::event capture_server::state::connection::ended() const
{
    if (silent_ && server_->running())
        return told::idle{};
    return told::closed{};
}

asio::awaitable<smtp::server::event> capture_server::state::connection::receive(std::chrono::seconds wait)
{
    watch(wait);
    error_code failed;
    const std::size_t octets = co_await socket_.async_read_some(
        asio::buffer(input_), asio::redirect_error(asio::use_awaitable, failed));
    if (failed)
        co_return ended();
    co_return told::received{std::string_view(input_.data(), octets)};
}

asio::awaitable<smtp::server::event> capture_server::state::connection::send(std::string_view octets,
                                                                             std::chrono::seconds wait)
{
    watch(wait);
    for (const std::string_view line : split_lines(octets))
        note('S', line);
    error_code failed;
    co_await asio::async_write(socket_, asio::buffer(octets),
                               asio::redirect_error(asio::use_awaitable, failed));
    if (failed)
        co_return ended();
    co_return told::sent{};
}

// Closing a socket with unread input resets the connection, and a reset may overtake our last words:
// the client would see "connection lost" where it was told why.
asio::awaitable<void> capture_server::state::connection::farewell()
{
    watch(farewell_max);
    error_code failed;
    socket_.shutdown(tcp::socket::shutdown_send, failed);
    for (std::size_t octets = 0; !failed && octets < farewell_octets_max;)
        octets += co_await socket_.async_read_some(asio::buffer(input_),
                                                   asio::redirect_error(asio::use_awaitable, failed));
}

// What becomes of a message -----------------------------------------------------------------------------

void capture_server::state::connection::forget_message()
{
    server_->unfinished_octets_ -= content_.size();
    content_ = std::string();
    no_room_ = false;
}

smtp::server::event capture_server::state::connection::decide(const ask::begin&)
{
    forget_message();
    return yes({2, 0, 0}, "");
}

smtp::server::event capture_server::state::connection::decide(const ask::content& part)
{
    if (server_->unfinished_octets_ + part.octets.size() > server_->options_.unfinished_octets_max) {
        forget_message();
        no_room_ = true;
    }
    if (!no_room_) {
        content_ += part.octets;
        server_->unfinished_octets_ += part.octets.size();
    }
    return told::taken{};
}

smtp::server::event capture_server::state::connection::decide(const ask::complete& done)
{
    note('C', fmt::format("[{} octets of message]", done.what.octets));
    note('C', ".");
    answer reply{250, {2, 0, 0}, "taken by the sandbox"};
    if (!server_->running())
        reply = answer{421, {4, 3, 2}, "the sandbox is stopping"};
    else if (no_room_)
        reply = answer{452, {4, 3, 1}, "too much mail is on its way in at once, try again later"};
    else
        server_->box_->add(captured(done.what, reply));
    forget_message();
    return told::decision{std::move(reply)};
}

captured_message capture_server::state::connection::captured(const smtp::server::transaction& envelope,
                                                             const answer& reply)
{
    captured_message message;
    message.received = std::chrono::system_clock::now();
    message.exchanger = server_->options_.smtp.name;
    message.client = client_;
    message.hello = envelope.hello;
    message.reverse_path = envelope.reverse_path();
    message.forward_paths = envelope.forward_paths();
    for (const smtp::parameter& p : envelope.from.parameters)
        message.parameters.push_back(p.text);
    server_->unfinished_octets_ -= content_.size();
    message.content = std::exchange(content_, {});
    message.conversation = said_.lines();
    for (const std::string_view line : split_lines(session_.unsent())) // a client that did not wait for them
        message.conversation.push_back({'S', std::string(line)});
    const bool coded = server_->options_.smtp.enhanced_status_codes;
    message.conversation.push_back(
        {'S', fmt::format("{} {}{}{}", reply.code, coded ? reply.status.to_string() : "", coded ? " " : "",
                          reply.text)});
    return message;
}

// ------------------------------------------------------------------------------------------------------

capture_server::capture_server(std::shared_ptr<net::environment> world, mailbox& box, capture_options options,
                               listener overhears)
    : state_(std::make_shared<state>(std::move(world), box, std::move(options), std::move(overhears)))
{
    state_->start();
}

capture_server::~capture_server() { stop(); }

std::uint16_t capture_server::port() const noexcept { return state_->port(); }

void capture_server::stop() { state_->stop(); }

} // namespace postrider::sandbox
