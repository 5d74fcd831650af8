// SPDX-License-Identifier: MIT
// sandbox/dns_server: one receiver for UDP, one small object for each TCP connection.
//
// Callbacks rather than coroutines: each of them does one thing and starts the next. All of them hold
// the server's state, or their connection, which holds it; stop() closes what they wait for.

#include "sandbox/dns_server.hpp"

#include "base/text.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace postrider::sandbox {

using tcp = asio::ip::tcp;
using udp = asio::ip::udp;

namespace {

constexpr std::size_t connections_max = 64;
constexpr std::chrono::seconds query_wait{5};
constexpr std::chrono::milliseconds accept_pause{200};
constexpr std::size_t plain_udp_octets = 512;
constexpr std::size_t edns_octets_max = 4096;
constexpr std::size_t tcp_octets_max = 65535;
constexpr int port_tries = 32;

asio::ip::address loopback_address(const std::string& text)
{
    error_code failure;
    const auto address = asio::ip::make_address(text, failure);
    if (failure || !address.is_loopback())
        throw std::invalid_argument(fmt::format(
            "the sandbox's DNS listens on loopback addresses only, not on \"{}\"", base::escaped(text, 64)));
    return address;
}

template <class Endpoint>
std::string shown(const Endpoint& e)
{
    const auto address = e.address().to_string();
    return e.address().is_v6() ? fmt::format("[{}]:{}", address, e.port())
                               : fmt::format("{}:{}", address, e.port());
}

std::size_t udp_size(const dns::message& query)
{
    if (!query.edns_size)
        return plain_udp_octets;
    return std::clamp<std::size_t>(*query.edns_size, plain_udp_octets, edns_octets_max);
}

} // namespace

class dns_server::state : public std::enable_shared_from_this<state> {
public:
    state(asio::any_io_executor executor, std::shared_ptr<const zone> served, observer told)
        : zone_(std::move(served)), told_(std::move(told)), udp_(executor), acceptor_(executor),
          pause_(executor)
    {
    }

    void listen(const asio::ip::address& address, std::uint16_t port);
    void start();
    void stop();
    std::uint16_t port() const noexcept { return port_; }

private:
    class connection;

    /// The answer on the wire; nothing: there is none to give. `query` comes back, for its size.
    struct outcome {
        bool query = false; ///< it was one that can be read
        std::vector<std::uint8_t> octets;
    };
    outcome answer(std::span<const std::uint8_t> octets, const std::string& client, bool over_tcp);

    void open(const asio::ip::address& address, std::uint16_t port);
    void receive();
    void on_received(std::size_t size);
    void accept();
    void on_accepted(error_code failure, tcp::socket socket);
    void leave(const std::shared_ptr<connection>& gone);

    std::shared_ptr<const zone> zone_;
    observer told_;
    udp::socket udp_;
    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    std::uint16_t port_ = 0;
    bool running_ = false;
    bool accepting_ = false;
    udp::endpoint asker_;
    std::array<std::uint8_t, edns_octets_max> received_{};
    std::set<std::shared_ptr<connection>> connections_;
};

/// One TCP connection: two octets of length, a query, its answer in the same form, and again.
class dns_server::state::connection : public std::enable_shared_from_this<connection> {
public:
    connection(std::shared_ptr<state> server, tcp::socket socket, std::string client)
        : server_(std::move(server)), socket_(std::move(socket)), deadline_(socket_.get_executor()),
          client_(std::move(client))
    {
    }

    void read_length();
    void close();

private:
    void read_query();
    void on_query();
    void write_answer(std::vector<std::uint8_t> answer);
    void watch();
    void leave();

    std::shared_ptr<state> server_;
    tcp::socket socket_;
    asio::steady_timer deadline_;
    std::string client_;
    unsigned watches_ = 0;
    std::array<std::uint8_t, 2> length_{};
    std::vector<std::uint8_t> query_, answer_;
};

// ---- listening ------------------------------------------------------------------------------

// Two sockets have to agree on a port. With 0 the system picks one for TCP, which UDP may find taken:
// then another is picked.
void dns_server::state::listen(const asio::ip::address& address, std::uint16_t port)
{
    for (int tries = port == 0 ? port_tries : 1; port_ == 0; --tries) {
        try {
            open(address, port);
            port_ = acceptor_.local_endpoint().port();
        } catch (const boost::system::system_error& failed) {
            if (tries == 1)
                throw boost::system::system_error(
                    failed.code(),
                    fmt::format("listening for DNS on {}", shown(udp::endpoint(address, port))));
        }
    }
}

void dns_server::state::open(const asio::ip::address& address, std::uint16_t port)
{
    const tcp::endpoint wanted(address, port);
    tcp::acceptor acceptor(acceptor_.get_executor(), wanted);
    udp_ = udp::socket(udp_.get_executor(), udp::endpoint(address, acceptor.local_endpoint().port()));
    udp_.non_blocking(true);
    acceptor_ = std::move(acceptor);
}

void dns_server::state::start()
{
    running_ = true;
    receive();
    accept();
}

void dns_server::state::stop()
{
    running_ = false;
    told_ = nullptr;
    error_code ignored;
    udp_.close(ignored);
    acceptor_.close(ignored);
    pause_.cancel();
    const auto all = std::exchange(connections_, {});
    for (const auto& c : all)
        c->close();
}

// ---- answering ------------------------------------------------------------------------------

dns_server::state::outcome dns_server::state::answer(std::span<const std::uint8_t> octets,
                                                     const std::string& client, bool over_tcp)
{
    outcome found;
    const auto query = dns::parse_message(octets);
    if (!query || query->response)
        return found;
    found.query = true;
    const auto reply = zone_->reply_to(*query);
    if (told_ && !query->questions.empty()) {
        answered_question what{client, over_tcp, query->questions[0], std::nullopt, 0};
        if (reply) {
            what.code = reply->code;
            what.answers = reply->answers.size();
        }
        told_(what);
    }
    if (reply)
        found.octets = dns::serialize(*reply, over_tcp ? tcp_octets_max : udp_size(*query));
    return found;
}

// ---- UDP ------------------------------------------------------------------------------------

void dns_server::state::receive()
{
    udp_.async_receive_from(asio::buffer(received_), asker_,
                            [self = shared_from_this()](error_code failure, std::size_t size) {
                                if (!self->running_)
                                    return;
                                if (!failure) // else an earlier answer found nobody there
                                    self->on_received(size);
                                if (self->running_)
                                    self->receive();
                            });
}

void dns_server::state::on_received(std::size_t size)
{
    const auto found = answer(std::span(received_).first(size), shown(asker_), false);
    error_code lost;
    if (running_ && !found.octets.empty())
        udp_.send_to(asio::buffer(found.octets), asker_, 0, lost);
}

// ---- TCP ------------------------------------------------------------------------------------

void dns_server::state::accept()
{
    if (!running_ || accepting_ || connections_.size() >= connections_max)
        return;
    accepting_ = true;
    acceptor_.async_accept([self = shared_from_this()](error_code failure, tcp::socket socket) {
        self->accepting_ = false;
        if (self->running_)
            self->on_accepted(failure, std::move(socket));
    });
}

void dns_server::state::on_accepted(error_code failure, tcp::socket socket)
{
    if (failure) { // no descriptors left, most likely: trying again at once would only heat the room
        accepting_ = true;
        pause_.expires_after(accept_pause);
        pause_.async_wait([self = shared_from_this()](error_code) {
            self->accepting_ = false;
            self->accept();
        });
        return;
    }
    error_code gone;
    const auto client = socket.remote_endpoint(gone);
    if (!gone) {
        const auto added = std::make_shared<connection>(shared_from_this(), std::move(socket), shown(client));
        connections_.insert(added);
        added->read_length();
    }
    accept();
}

void dns_server::state::leave(const std::shared_ptr<connection>& gone)
{
    connections_.erase(gone);
    accept();
}

void dns_server::state::connection::read_length()
{
    watch();
    asio::async_read(socket_, asio::buffer(length_),
                     [self = shared_from_this()](error_code failure, std::size_t) {
                         if (failure)
                             self->leave();
                         else
                             self->read_query();
                     });
}

void dns_server::state::connection::read_query()
{
    query_.resize(static_cast<std::size_t>(length_[0]) << 8 | length_[1]);
    asio::async_read(socket_, asio::buffer(query_),
                     [self = shared_from_this()](error_code failure, std::size_t) {
                         if (failure)
                             self->leave();
                         else
                             self->on_query();
                     });
}

void dns_server::state::connection::on_query()
{
    auto found = server_->answer(query_, client_, true);
    if (!socket_.is_open())
        return; // the observer stopped the server
    if (!found.query)
        leave();
    else if (found.octets.empty())
        read_length();
    else
        write_answer(std::move(found.octets));
}

void dns_server::state::connection::write_answer(std::vector<std::uint8_t> answer)
{
    answer_ = std::move(answer);
    length_ = {static_cast<std::uint8_t>(answer_.size() >> 8),
               static_cast<std::uint8_t>(answer_.size() & 0xff)};
    const std::array<asio::const_buffer, 2> both{asio::buffer(length_), asio::buffer(answer_)};
    asio::async_write(socket_, both, [self = shared_from_this()](error_code failure, std::size_t) {
        if (failure)
            self->leave();
        else
            self->read_length();
    });
}

/// Gives the next query, and its answer, their time. A wait that has ended and whose handler is only
/// waiting for its turn can no longer be cancelled: its number tells it that it is of yesterday.
void dns_server::state::connection::watch()
{
    deadline_.expires_after(query_wait);
    deadline_.async_wait([weak = weak_from_this(), number = ++watches_](error_code cancelled) {
        const auto self = weak.lock();
        if (!cancelled && self && self->watches_ == number)
            self->leave();
    });
}

void dns_server::state::connection::leave()
{
    const auto self = shared_from_this();
    close();
    server_->leave(self);
}

void dns_server::state::connection::close()
{
    error_code ignored;
    socket_.close(ignored);
    deadline_.cancel();
}

// ---- the handle -----------------------------------------------------------------------------

dns_server::dns_server(asio::any_io_executor executor, std::shared_ptr<const zone> served,
                       const std::string& address, std::uint16_t port, observer told)
{
    const auto where = loopback_address(address);
    state_ = std::make_shared<state>(std::move(executor), std::move(served), std::move(told));
    state_->listen(where, port);
    state_->start();
}

dns_server::~dns_server() { stop(); }

std::uint16_t dns_server::port() const noexcept { return state_->port(); }

void dns_server::stop() { state_->stop(); }

} // namespace postrider::sandbox
