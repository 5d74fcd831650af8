// SPDX-License-Identifier: MIT
// app/loop: the words of a loop, in terms of its engine.

#include "postrider/app/loop.hpp"

#include "app/loop_engine.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <stdexcept>
#include <utility>

namespace postrider::app {
namespace {

std::shared_ptr<loop_engine> engine_of_its_own()
{
    auto engine = std::make_shared<loop_engine>();
    engine->own = std::make_unique<asio::io_context>(1);
    engine->executor = engine->own->get_executor();
    return engine;
}

std::shared_ptr<loop_engine> engine_on(asio::any_io_executor executor)
{
    auto engine = std::make_shared<loop_engine>();
    engine->executor = std::move(executor);
    return engine;
}

} // namespace

struct delayed_call::state {
    std::weak_ptr<loop_engine> engine;
    std::function<void()> what; // nothing: made, or called off
    std::string prefix;
    std::uint64_t errand = 0;

    void on_wait(error_code ec)
    {
        const std::shared_ptr<loop_engine> alive = engine.lock();
        if (!alive)
            return;
        const std::function<void()> call = std::exchange(what, nullptr);
        alive->finish_errand(errand);
        if (!ec && call)
            alive->guarded(prefix, call);
    }
};

void delayed_call::cancel()
{
    if (!active())
        return;
    state_->what = nullptr;
    if (const std::shared_ptr<loop_engine> engine = state_->engine.lock())
        engine->call_off(state_->errand);
}

bool delayed_call::active() const noexcept
{
    if (!state_ || !state_->what)
        return false;
    const std::shared_ptr<loop_engine> engine = state_->engine.lock();
    return engine && !engine->ended();
}

loop::loop() : engine_(engine_of_its_own()) {}
loop::loop(asio::any_io_executor executor) : engine_(engine_on(std::move(executor))) {}
loop::loop(std::shared_ptr<loop_engine> engine) : engine_(std::move(engine)) {}

// On the program's own executor the coroutines would outlive what they were started by.
loop::~loop() { engine_->abandon(); }

asio::any_io_executor loop::get_executor() const { return engine_->executor; }

void loop::dns_server(std::string server)
{
    if (engine_->has_world())
        throw std::logic_error("loop::dns_server(): it is too late, the network is in use already");
    engine_->dns_servers.push_back(std::move(server));
}

delayed_call loop::call_later(duration after, std::function<void()> what, std::string prefix)
{
    delayed_call call;
    if (engine_->ended() || !what)
        return call;
    const std::shared_ptr<loop_engine::errand> errand = engine_->begin_errand();
    call.state_ = std::make_shared<delayed_call::state>();
    call.state_->engine = engine_;
    call.state_->what = std::move(what);
    call.state_->prefix = std::move(prefix);
    call.state_->errand = errand->number;
    engine_->wait(after,
                  asio::bind_cancellation_slot(errand->signal.slot(),
                                               [state = call.state_](error_code ec) { state->on_wait(ec); }));
    return call;
}

void loop::call_soon(std::function<void()> what, std::string prefix)
{
    asio::post(engine_->executor,
               [weak = std::weak_ptr(engine_), what = std::move(what), prefix = std::move(prefix)] {
                   if (const std::shared_ptr<loop_engine> engine = weak.lock())
                       engine->guarded(prefix, what);
               });
}

void loop::spawn(asio::awaitable<void> work, std::string prefix)
{
    engine_->spawn(std::move(work), std::move(prefix));
}

void loop::start_sleep(duration how_long, asio::any_completion_handler<void(error_code)> done)
{
    engine_->wait(how_long, std::move(done));
}

int loop::run()
{
    if (!engine_->own)
        throw std::logic_error("loop::run(): this loop is on an executor of the program's, which runs it");
    const auto stay = asio::make_work_guard(*engine_->own);
    // A handler of the program's own that throws ends run() of the context, but not this one.
    const auto go_on = [this] { engine_->own->run(); };
    while (engine_->guarded("-", go_on) != nullptr) {}
    return exit_status();
}

void loop::stop(int status)
{
    note_failure(status);
    if (engine_->stopping.exchange(true))
        return;
    asio::post(engine_->executor, [weak = std::weak_ptr(engine_)] {
        const std::shared_ptr<loop_engine> engine = weak.lock();
        if (!engine)
            return;
        if (engine->ending)
            engine->ending();
        else
            engine->end();
    });
}

bool loop::stopping() const noexcept { return engine_->stopping; }
int loop::exit_status() const noexcept { return engine_->status; }
void loop::note_failure(int status) noexcept { engine_->note_failure(status); }

} // namespace postrider::app
