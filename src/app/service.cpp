// SPDX-License-Identifier: MIT
// app/service: the stages of one service, and how it comes to its end.

#include "postrider/app/service.hpp"

#include "app/class_name.hpp"
#include "app/loop_engine.hpp"
#include "app/service_ending.hpp"
#include "postrider/app/loop.hpp"
#include "postrider/app/reason.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <fmt/format.h>

#include <stdexcept>
#include <typeinfo>
#include <utility>

namespace postrider::app {

service::service(std::string name) : name_(std::move(name)) {}

service::~service()
{
    if (ending_)
        ending_->of = nullptr;
}

void service::set_name(std::string name)
{
    if (parent_)
        throw std::logic_error(
            fmt::format("the service {} cannot be renamed while it belongs to another", log_prefix()));
    name_ = std::move(name);
}

std::string service::log_prefix() const { return name_.empty() ? class_name(typeid(*this)) : name_; }

app::loop* service::find_loop() const noexcept
{
    for (const service* one = this; one; one = one->parent_ ? one->parent_ : one->left_)
        if (app::loop* const found = one->own_loop())
            return found;
    return nullptr;
}

app::loop& service::loop() const
{
    if (app::loop* const found = find_loop())
        return *found;
    throw std::logic_error(
        fmt::format("the service {} has no loop: it has not been added to an application", log_prefix()));
}

void service::require_idle() const
{
    switch (stage_) {
    case stage::idle: return;
    case stage::stopping:
        throw std::logic_error(
            fmt::format("the service {} cannot be started: it is still stopping", log_prefix()));
    default: throw std::logic_error(fmt::format("the service {} has been started already", log_prefix()));
    }
}

void service::require_prepared() const
{
    if (stage_ == stage::preparing)
        throw std::logic_error(
            fmt::format("the service {} cannot be stopped from its on_privileged_start(): use loop().stop()",
                        log_prefix()));
}

void service::privileged_start()
{
    require_idle();
    stage_ = stage::preparing;
    try {
        on_privileged_start();
    } catch (...) {
        note_failed_start();
        if (stage_ == stage::preparing)
            stopped();
        throw;
    }
    stage_ = stage::prepared;
    if (ending_) // its parent stops already
        carry_out_stop();
}

void service::start()
{
    if (stage_ != stage::prepared)
        privileged_start();
    if (stage_ != stage::prepared)
        return;
    stage_ = stage::starting;
    try {
        on_start();
    } catch (...) {
        note_failed_start();
        carry_out_stop();
        throw;
    }
    stage_ = stage::running;
    if (ending_) // asked for meanwhile
        carry_out_stop();
}

// Those above fail with it: it is the first that is to be named.
void service::note_failed_start() const
{
    app::loop* const above = find_loop();
    if (above != nullptr && above->engine().failed_start.empty())
        above->engine().failed_start = log_prefix();
}

asio::awaitable<void> service::stop()
{
    require_prepared();
    return wait_for(begin_stop());
}

std::shared_ptr<service::ending> service::begin_stop()
{
    switch (stage_) {
    case stage::idle: return nullptr;
    case stage::preparing:
    case stage::starting: // when that has ended
        return want_stop();
    case stage::prepared:
    case stage::running: carry_out_stop(); return ending_;
    case stage::stopping: return ending_;
    }
    return nullptr;
}

const std::shared_ptr<service::ending>& service::want_stop()
{
    if (!ending_)
        ending_ = std::make_shared<ending>(this);
    ending_->prefix = log_prefix();
    return ending_;
}

void service::carry_out_stop()
{
    const std::shared_ptr<ending> mine = want_stop();
    stage_ = stage::stopping;
    eventually<void> rest;
    try {
        rest = on_stop();
    } catch (...) {
        mine->note_failure(find_loop());
    }
    end_with(std::move(rest));
}

void service::end_with(eventually<void> rest)
{
    if (rest.ready())
        return stopped();
    const std::shared_ptr<ending> mine = ending_;
    mine->rest = std::move(rest);
    if (app::loop* const above = find_loop())
        carry_on(mine, above->get_executor());
    else if (mine->asked_on)
        carry_on(mine, mine->asked_on);
}

// Its own coroutine, so that it ends whether or not somebody still waits for it.
void service::carry_on(const std::shared_ptr<ending>& what, asio::any_io_executor where)
{
    what->carried_on = true;
    std::shared_ptr<service> alive = what->of ? what->of->weak_from_this().lock() : nullptr;
    asio::co_spawn(where, finish(what, std::move(alive)), asio::detached);
}

asio::awaitable<void> service::finish(std::shared_ptr<ending> what, std::shared_ptr<service>)
{
    try {
        co_await what->rest.get();
    } catch (...) {
        what->note_failure(what->of ? what->of->find_loop() : nullptr);
    }
    if (what->of)
        what->of->stopped();
    else
        what->over.open();
}

void service::stopped()
{
    stage_ = stage::idle;
    if (const std::shared_ptr<ending> mine = std::exchange(ending_, nullptr)) {
        mine->of = nullptr;
        mine->over.open();
    }
    if (multi_service* const left = std::exchange(left_, nullptr))
        left->forget(*this); // perhaps the last that held it
}

asio::awaitable<void> service::wait_for(std::shared_ptr<ending> what)
{
    if (!what)
        co_return;
    // Without a loop above it the stop is carried on where somebody waits for it.
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    what->asked_on = here;
    if (!what->rest.ready() && !what->carried_on)
        carry_on(what, here);
    co_await what->over.wait();
}

} // namespace postrider::app
