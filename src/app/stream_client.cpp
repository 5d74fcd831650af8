// SPDX-License-Identifier: MIT
// app/stream_client: from one state to the next.

#include "app/stream_client.hpp"

#include "app/loop_engine.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace postrider::app {
namespace {

asio::awaitable<void> until_open(std::shared_ptr<gate> ended) { co_await ended->wait(); }

} // namespace

stream_client::engine::engine(app::destination where, std::shared_ptr<client_factory> makes)
    : where_(std::move(where)), makes_(makes ? std::move(makes) : std::make_shared<client_factory>())
{
}

app::loop& stream_client::engine::loop() const
{
    if (!loop_)
        throw std::logic_error("the client to " + destination() + " has no loop: it has not been started");
    return *loop_;
}

void stream_client::engine::start(app::loop& loop)
{
    if (!idle())
        throw std::logic_error("the client to " + destination() + " has not ended since it was stopped");
    loop_ = &loop;
    use_.emplace(makes_);
    active_ = true;
    connect();
}

void stream_client::engine::connect()
{
    if (!active_)
        return;
    if (!idle())
        throw std::logic_error("connect(): the client to " + destination() + " is connecting or connected");
    attempt_ = std::make_shared<net::stop_signal>();
    tell([this] { makes_->started_connecting(*this); });
    if (!loop_) { // let go of in the callback
        attempt_.reset();
        return;
    }
    auto done = [self = self()](std::exception_ptr thrown, arrival got) {
        self->arrived(thrown, std::move(got));
    };
    asio::co_spawn(loop_->get_executor(), reach(attempt_, loop_->engine().world(), where_, timeout),
                   asio::bind_cancellation_slot(attempt_->slot(), std::move(done)));
}

void stream_client::engine::arrived(std::exception_ptr thrown, arrival got)
{
    const bool cancelled = std::exchange(attempt_, nullptr)->wanted();
    if (thrown)
        return failed(reason(thrown)); // no memory, or a bug of ours
    if (cancelled && got.made) {
        got.made->close();
        return failed(reason(make_error_code(error::cancelled),
                             fmt::format("connecting to {} was cancelled", destination())));
    }
    if (!got.made)
        return failed(reason(got.error, std::move(got.sentence)));
    makes_->log().debug(fmt::format("connected to {} ({})", destination(), got.made->peer()));
    since_ = loop_->engine().world()->now();
    auto ended = [weak = weak_from_this()](const reason& why) {
        if (const auto alive = weak.lock())
            static_cast<engine&>(*alive).lost(why);
    };
    auto begun = [weak = weak_from_this()] {
        if (const auto alive = weak.lock())
            static_cast<engine&>(*alive).made();
    };
    connection_ =
        connection::begin(*loop_, makes_, std::move(got.made), "client", std::move(ended), std::move(begun));
}

void stream_client::engine::made()
{
    if (const auto link = connection_; link && loop_)
        tell([this, &link] { makes_->connected(*this, *link->protocol()); });
}

void stream_client::engine::failed(const reason& why)
{
    stood_ = std::chrono::nanoseconds(0);
    if (loop_)
        tell([this, &why] { makes_->connection_failed(*this, why); });
    settle();
}

void stream_client::engine::lost(const reason& why)
{
    stood_ = stood();
    connection_.reset();
    if (loop_)
        tell([this, &why] { makes_->connection_lost(*this, why); });
    settle();
}

void stream_client::engine::tell(const std::function<void()>& callback)
{
    const auto keep = shared_from_this();
    (void)guarded(*loop_, makes_->log_prefix(), callback);
}

void stream_client::engine::stop_connecting()
{
    if (attempt_)
        attempt_->emit();
}

void stream_client::engine::disconnect()
{
    if (connection_)
        connection_->disconnect();
    else
        stop_connecting();
}

std::chrono::nanoseconds stream_client::engine::stood() const
{
    return connection_ ? loop_->engine().world()->now() - since_ : stood_;
}

eventually<void> stream_client::engine::stop()
{
    active_ = false;
    if (idle()) {
        settle();
        return {};
    }
    ended_ = std::make_shared<gate>();
    if (connection_) {
        watchdog_.emplace(loop_->engine().world(), [this] {
            if (const auto slow = connection_)
                slow->cut(
                    reason(make_error_code(error::cancelled),
                           fmt::format("the connection with {} did not come to an end in the {} ms that "
                                       "it had",
                                       slow->peer(), patience.count())));
        });
        watchdog_->watch(loop_->engine().world()->now() + patience);
        connection_->request_stop();
    } else {
        stop_connecting();
    }
    return until_open(ended_);
}

// The end of a stop.
void stream_client::engine::settle()
{
    if (active_ || !idle())
        return;
    watchdog_.reset();
    use_.reset();
    if (const auto waiting = std::exchange(ended_, nullptr))
        waiting->open();
}

// Nobody is told: whoever wanted to hear stops a client before letting go of it.
void stream_client::engine::abandon() noexcept
{
    if (!loop_)
        return;
    active_ = false;
    watchdog_.reset();
    stop_connecting();
    if (const auto link = std::exchange(connection_, nullptr))
        link->abort_connection();
    loop_ = nullptr;
}

} // namespace postrider::app
