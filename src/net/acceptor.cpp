// SPDX-License-Identifier: MIT
// net/acceptor: waits until somebody is there, and then takes all who are.
//
// accept(2) is called here and not through Asio, which gives sockets that a child process would inherit,
// and one for each round through the loop.

#include "net/acceptor.hpp"

#include "net/clock.hpp"
#include "net/listening_socket.hpp"
#include "net/socket_address.hpp"
#include "net/socket_stream.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/query.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace postrider::net {
namespace {

constexpr std::chrono::milliseconds no_room_wait{200};
constexpr int batch_max = 32; // then the others on the loop have their turn

/// What concerns the one connection only: it was reset, refused by a filter, or its route was lost while
/// it waited. accept(2): "treat them like EAGAIN by retrying".
bool concerns_one(int number)
{
    switch (number) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ETIMEDOUT: return true;
    default: return false;
    }
}

error_code adopt_tcp_socket(asio::ip::tcp::socket& at, int connected, bool v6)
{
    error_code failed;
    at.assign(v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), connected, failed);
    if (failed) {
        ::close(connected);
        return failed;
    }
    error_code ignored;
    at.set_option(asio::ip::tcp::no_delay(true), ignored);
    return {};
}

} // namespace

class acceptor::state : public std::enable_shared_from_this<state> {
public:
    /// An error: the loop cannot take one more, and the socket has been closed.
    using taker = std::function<error_code(int socket, const endpoint& peer)>;

    state(asio::any_io_executor executor, listening_socket socket)
        : executor_(std::move(executor)), socket_(std::move(socket)), readiness_(executor_, socket_.native()),
          timers_(asio::use_service<timer_service>(asio::query(executor_, asio::execution::context)))
    {
    }
    ~state() { close(); }

    void start(taker taken, trouble_listener trouble)
    {
        taken_ = std::make_shared<const taker>(std::move(taken));
        trouble_ = std::make_shared<const trouble_listener>(std::move(trouble));
        going_ = true;
        wait();
    }

    void pause() { going_ = false; }
    void close() noexcept;

    const endpoint& where() const noexcept { return socket_.where(); }
    const asio::any_io_executor& executor() const noexcept { return executor_; }

private:
    enum class outcome { taken, nobody, no_room };

    bool going() const noexcept { return going_ && socket_.native() >= 0; }
    void wait();
    void wait_for_room();
    void accept_some();
    outcome accept_one();
    outcome on_failure(int number);
    outcome on_trouble(error_code why);

    asio::any_io_executor executor_;
    listening_socket socket_;
    asio::posix::stream_descriptor readiness_; // of the same descriptor, which belongs to socket_
    timer_service& timers_;
    asio::cancellation_signal no_more_waiting_;
    std::shared_ptr<const taker> taken_;
    std::shared_ptr<const trouble_listener> trouble_;
    bool going_ = false;
    bool waiting_ = false; // for somebody to come, or for room
    bool troubled_ = false;
};

void acceptor::state::wait()
{
    if (!going() || waiting_)
        return;
    waiting_ = true;
    readiness_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](error_code) {
        self->waiting_ = false;
        self->accept_some();
    });
}

void acceptor::state::wait_for_room()
{
    if (!going() || waiting_)
        return;
    waiting_ = true;
    auto on_time = [self = shared_from_this()](error_code) {
        self->waiting_ = false;
        self->accept_some();
    };
    timers_.wait_until(timers_.now() + no_room_wait, executor_,
                       asio::bind_cancellation_slot(no_more_waiting_.slot(), std::move(on_time)));
}

void acceptor::state::accept_some()
{
    // The next wait begins however this ends, by an exception of the taker's too.
    struct waiter {
        state* self;
        outcome last = outcome::taken;
        ~waiter() { last == outcome::no_room ? self->wait_for_room() : self->wait(); }
    } next{this};
    for (int taken = 0; going() && next.last == outcome::taken && taken < batch_max; ++taken)
        next.last = accept_one();
}

acceptor::state::outcome acceptor::state::accept_one()
{
    socket_address peer;
    const int connected =
        ::accept4(socket_.native(), peer.data(), peer.size_to_fill(), SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connected < 0)
        return on_failure(errno);
    const auto taken = taken_; // which may close us
    // A client on a Unix socket has no name of its own as a rule: what it came through is said instead.
    const endpoint from = where().is_unix() ? where() : peer.to_endpoint();
    if (const error_code failed = (*taken)(connected, from))
        return on_trouble(failed);
    troubled_ = false;
    return outcome::taken;
}

acceptor::state::outcome acceptor::state::on_failure(int number)
{
    if (concerns_one(number))
        return outcome::taken;
    pollfd somebody{socket_.native(), POLLIN, 0};
    if (number == EAGAIN || ::poll(&somebody, 1, 0) == 0)
        return outcome::nobody; // the system looks for a descriptor first, and only then for a client
    return on_trouble(error_code(number, boost::system::system_category()));
}

acceptor::state::outcome acceptor::state::on_trouble(error_code why)
{
    const auto trouble = trouble_; // it may close us, too
    if (!std::exchange(troubled_, true) && *trouble)
        (*trouble)(why);
    return outcome::no_room;
}

void acceptor::state::close() noexcept
{
    going_ = false;
    if (socket_.native() < 0)
        return;
    readiness_.release();
    socket_.close();
    no_more_waiting_.emit(asio::cancellation_type::terminal);
}

acceptor::acceptor(asio::any_io_executor executor, const endpoint& where, std::optional<unsigned> mode)
    : state_(std::make_shared<state>(std::move(executor), listening_socket::open(where, mode)))
{
}

acceptor::acceptor(asio::any_io_executor executor, int listening_socket)
    : state_(std::make_shared<state>(std::move(executor), listening_socket::take_over(listening_socket)))
{
}

acceptor::~acceptor() { close(); }

void acceptor::start(stream_taker taken, trouble_listener trouble)
{
    auto wrap = [executor = state_->executor(), taken = std::move(taken)](int socket, const endpoint& peer) {
        error_code failed;
        if (auto made = adopt_socket(executor, socket, peer, failed))
            taken(std::move(made));
        return failed;
    };
    state_->start(std::move(wrap), std::move(trouble));
}

void acceptor::start_sockets(socket_taker taken, trouble_listener trouble)
{
    auto wrap = [executor = state_->executor(), taken = std::move(taken)](int socket, const endpoint& peer) {
        asio::ip::tcp::socket made(executor);
        const error_code failed = adopt_tcp_socket(made, socket, peer.is_v6());
        if (!failed)
            taken(std::move(made), peer);
        return failed;
    };
    state_->start(std::move(wrap), std::move(trouble));
}

void acceptor::pause() { state_->pause(); }

void acceptor::close() noexcept { state_->close(); }

const endpoint& acceptor::where() const noexcept { return state_->where(); }

} // namespace postrider::net
