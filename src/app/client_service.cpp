// SPDX-License-Identifier: MIT
// app/client_service: from attempt to attempt, and those who wait for one that succeeds.
//
//     waiting for its turn → connecting → preparing → of use
//              ↑________________↓____________↓__________↓

#include "postrider/app/client_service.hpp"

#include "app/factory_use.hpp"
#include "app/gate.hpp"
#include "app/loop_engine.hpp"
#include "net/stop_signal.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

namespace postrider::app {
namespace {

// The parent of the client of an attempt.
class nest final : public multi_service {
public:
    explicit nest(app::loop& where) : multi_service("attempts"), loop_(where) {}

private:
    app::loop* own_loop() const noexcept override { return &loop_; }

    app::loop& loop_;
};

std::exception_ptr exception_for(const reason& why)
{
    if (why.thrown())
        return why.thrown();
    // A peer that closes before the connection is of use is no error to the connection, but one to us.
    const std::error_code ec = why.error() ? why.error() : make_error_code(error::connection_lost);
    return std::make_exception_ptr(std::system_error(ec, why.sentence()));
}

asio::awaitable<void> prepare(std::shared_ptr<net::stop_signal> stop, asio::awaitable<void> how)
{
    stop->begin();
    co_await std::move(how);
}

} // namespace

struct client_service::engine : std::enable_shared_from_this<engine> {
    struct waiter {
        explicit waiter(std::optional<unsigned> failures_max) : failures_left(failures_max) {}

        std::optional<unsigned> failures_left;
        gate done;
        std::shared_ptr<protocol> got;
        std::exception_ptr failed; // instead
    };

    engine(client_maker connect, std::shared_ptr<factory> makes, backoff waits)
        : connect_(std::move(connect)), makes_(makes ? std::move(makes) : std::make_shared<factory>()),
          waits_(std::move(waits))
    {
    }

    void start(app::loop& loop);
    eventually<void> stop();
    void abandon() noexcept;

    void made(protocol& one);
    void attempt_ended(const reason& why);

    std::function<eventually<void>(std::shared_ptr<protocol>)> preparation;
    static asio::awaitable<std::shared_ptr<protocol>> wait(std::shared_ptr<engine> self,
                                                           std::optional<unsigned> failures_max);

private:
    class attempt_factory;

    void attempt();
    void begin_preparing(std::shared_ptr<protocol> one);
    void prepared(std::shared_ptr<protocol> one, const std::exception_ptr& thrown);
    void try_later(const std::string& why);
    void end_waiting(const std::shared_ptr<protocol>& got, const std::exception_ptr& failed);
    void count_failure(const reason& why);
    void call_off();
    static asio::awaitable<void> ended(std::shared_ptr<engine> self, asio::awaitable<void> rest);

    client_maker connect_;
    std::shared_ptr<factory> makes_;
    backoff waits_;
    app::loop* loop_ = nullptr;
    std::optional<factory_use> use_;
    bool active_ = false, was_stopped_ = false;

    std::shared_ptr<nest> nest_;
    std::shared_ptr<stream_client> client_; // of the attempt under way, or of the connection
    std::shared_ptr<net::stop_signal> preparing_;
    reason refused_;                  // by the preparation
    std::shared_ptr<protocol> ready_; // up and prepared
    delayed_call next_;
    std::vector<std::shared_ptr<waiter>> waiting_;
};

// Stands in for the program's factory, which need not know clients.
class client_service::engine::attempt_factory final : public client_factory {
public:
    attempt_factory(std::weak_ptr<engine> whose, std::shared_ptr<factory> makes)
        : whose_(std::move(whose)), makes_(std::move(makes))
    {
    }

    std::shared_ptr<protocol> build_protocol(const std::string& peer) override
    {
        return makes_->build_protocol(peer);
    }
    factory& origin() noexcept override { return makes_->origin(); }
    std::string log_prefix() const override { return makes_->log_prefix(); }

    void connected(app::connector&, protocol& one) override
    {
        if (const auto alive = whose_.lock())
            alive->made(one);
    }
    void connection_failed(app::connector&, const reason& why) override { ended(why); }
    void connection_lost(app::connector&, const reason& why) override { ended(why); }

private:
    void ended(const reason& why)
    {
        if (const auto alive = whose_.lock())
            alive->attempt_ended(why);
    }

    std::weak_ptr<engine> whose_;
    std::shared_ptr<factory> makes_;
};

void client_service::engine::start(app::loop& loop)
{
    loop_ = &loop;
    use_.emplace(makes_);
    active_ = true;
    was_stopped_ = false;
    waits_.reset();
    nest_ = std::make_shared<nest>(loop);
    nest_->start();
    attempt();
}

void client_service::engine::attempt()
{
    refused_ = reason();
    const auto make = [this] {
        client_ = connect_(std::make_shared<attempt_factory>(weak_from_this(), makes_));
        if (!client_)
            throw std::logic_error("the client service was given no client to connect with");
        nest_->add(client_);
    };
    if (const std::exception_ptr thrown = guarded(*loop_, makes_->log_prefix(), make)) {
        client_.reset();
        attempt_ended(reason(thrown));
    }
}

void client_service::engine::made(protocol& one)
{
    if (active_)
        begin_preparing(one.shared_from_this());
}

void client_service::engine::begin_preparing(std::shared_ptr<protocol> one)
{
    preparing_ = std::make_shared<net::stop_signal>();
    auto done = [self = shared_from_this(), mine = preparing_, one](const std::exception_ptr& thrown) {
        if (self->preparing_ == mine) // else it has ended meanwhile
            self->prepared(one, thrown);
    };
    try {
        eventually<void> how = preparation ? preparation(one) : eventually<void>();
        if (how.ready())
            return done(nullptr);
        asio::co_spawn(loop_->get_executor(), prepare(preparing_, how.get()),
                       asio::bind_cancellation_slot(preparing_->slot(), std::move(done)));
    } catch (...) {
        done(std::current_exception());
    }
}

void client_service::engine::prepared(std::shared_ptr<protocol> one, const std::exception_ptr& thrown)
{
    preparing_.reset();
    if (thrown) {
        refused_ = reason(thrown);
        one->transport().abort_connection(); // attempt_ended() comes
        return;
    }
    waits_.reset();
    ready_ = std::move(one);
    end_waiting(ready_, nullptr);
}

void client_service::engine::attempt_ended(const reason& why)
{
    if (const auto interrupted = std::exchange(preparing_, nullptr))
        interrupted->emit();
    const bool was_of_use = std::exchange(ready_, nullptr) != nullptr;
    const reason meant = refused_.thrown() ? refused_ : why;
    if (const auto old = std::exchange(client_, nullptr); old && active_)
        static_cast<void>(nest_->remove(*old)); // idle: it has stopped with the call
    if (!was_of_use)
        count_failure(meant);
    if (active_)
        try_later(refused_.thrown() ? "preparing the connection failed: " + description_of(refused_.thrown())
                                    : why.sentence());
}

void client_service::engine::try_later(const std::string& why)
{
    const auto& world = loop_->engine().world();
    const backoff::duration wait =
        waits_.next([&world](std::uint32_t bound) { return world->random(bound); });
    makes_->log().warning(
        fmt::format("{}; connecting again in {:.1f} s", why, std::chrono::duration<double>(wait).count()));
    const auto again = [weak = weak_from_this()] {
        if (const auto alive = weak.lock(); alive && alive->active_)
            alive->attempt();
    };
    next_ = loop_->call_later(wait, again, makes_->log_prefix());
}

void client_service::engine::end_waiting(const std::shared_ptr<protocol>& got,
                                         const std::exception_ptr& failed)
{
    for (const auto& one : std::exchange(waiting_, {})) {
        one->got = got;
        one->failed = failed;
        one->done.open();
    }
}

void client_service::engine::count_failure(const reason& why)
{
    const auto gives_up = [](const std::shared_ptr<waiter>& one) {
        return one->failures_left && --*one->failures_left == 0;
    };
    const auto rest = std::stable_partition(waiting_.begin(), waiting_.end(),
                                            [&gives_up](const auto& one) { return !gives_up(one); });
    const std::vector<std::shared_ptr<waiter>> disappointed(rest, waiting_.end());
    waiting_.erase(rest, waiting_.end());
    for (const auto& one : disappointed) {
        one->failed = exception_for(why);
        one->done.open();
    }
}

asio::awaitable<std::shared_ptr<protocol>> client_service::engine::wait(std::shared_ptr<engine> self,
                                                                        std::optional<unsigned> failures_max)
{
    if (self->ready_)
        co_return self->ready_;
    if (self->was_stopped_)
        throw std::system_error(make_error_code(error::cancelled), "the client service has been stopped");
    if (failures_max == 0U)
        throw std::invalid_argument("when_connected(): an attempt has to fail before nobody waits for it");
    const auto mine = std::make_shared<waiter>(failures_max);
    self->waiting_.push_back(mine);
    std::exception_ptr cancelled;
    try {
        co_await mine->done.wait();
    } catch (...) {
        cancelled = std::current_exception();
    }
    std::erase(self->waiting_, mine);
    if (cancelled)
        std::rethrow_exception(cancelled);
    if (mine->failed)
        std::rethrow_exception(mine->failed);
    co_return mine->got;
}

void client_service::engine::call_off()
{
    active_ = false;
    was_stopped_ = true;
    next_.cancel();
    if (const auto interrupted = std::exchange(preparing_, nullptr))
        interrupted->emit();
    end_waiting(nullptr, std::make_exception_ptr(std::system_error(make_error_code(error::cancelled),
                                                                   "the client service was stopped")));
}

eventually<void> client_service::engine::stop()
{
    call_off();
    if (!nest_)
        return {};
    return ended(shared_from_this(), nest_->stop());
}

asio::awaitable<void> client_service::engine::ended(std::shared_ptr<engine> self, asio::awaitable<void> rest)
{
    co_await std::move(rest);
    self->ready_.reset();
    self->client_.reset();
    self->nest_.reset();
    self->use_.reset();
}

void client_service::engine::abandon() noexcept
{
    call_off();
    ready_.reset();
    client_.reset();
    nest_.reset();
}

client_service::client_service(std::string host, std::uint16_t port, std::shared_ptr<factory> makes,
                               backoff waits)
    : client_service(
          [host = std::move(host), port](std::shared_ptr<client_factory> with) {
              return std::make_shared<tcp_client>(host, port, std::move(with));
          },
          std::move(makes), std::move(waits))
{
}

client_service::client_service(client_maker connect, std::shared_ptr<factory> makes, backoff waits)
    : engine_(std::make_shared<engine>(std::move(connect), std::move(makes), std::move(waits)))
{
}

client_service::~client_service() { engine_->abandon(); }

client_service& client_service::prepare_connection(
    std::function<eventually<void>(std::shared_ptr<protocol>)> how)
{
    engine_->preparation = std::move(how);
    return *this;
}

asio::awaitable<std::shared_ptr<protocol>> client_service::when_connected(
    std::optional<unsigned> failures_max)
{
    return engine::wait(engine_, failures_max);
}

void client_service::on_start() { engine_->start(loop()); }

eventually<void> client_service::on_stop() { return engine_->stop(); }

void client_service::on_abandon() noexcept { engine_->abandon(); }

} // namespace postrider::app
