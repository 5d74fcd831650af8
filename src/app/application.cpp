// SPDX-License-Identifier: MIT
// app/application: a multi_service with a loop, which ends when its services have.

#include "postrider/app/application.hpp"

#include "app/loop_engine.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <utility>

namespace postrider::app {
namespace {

// Not an errand of the loop: those are called off by the end that this brings about.
asio::awaitable<void> end_after(asio::awaitable<void> stop, std::weak_ptr<loop_engine> weak,
                                std::string prefix)
{
    std::exception_ptr failed;
    try {
        co_await std::move(stop);
    } catch (...) {
        failed = std::current_exception();
    }
    const std::shared_ptr<loop_engine> engine = weak.lock();
    if (!engine)
        co_return;
    if (failed)
        engine->note_unhandled(prefix, failed);
    engine->end();
}

} // namespace

application::application(std::string name) : multi_service(std::move(name)) { end_with_services(); }

application::application(std::string name, asio::any_io_executor executor)
    : multi_service(std::move(name)), loop_(std::move(executor))
{
    end_with_services();
}

application::application(std::string name, std::shared_ptr<loop_engine> engine)
    : multi_service(std::move(name)), loop_(std::move(engine))
{
    end_with_services();
}

// The services first: they may hold what belongs to the loop.
application::~application()
{
    loop_.engine().ending = nullptr;
    disown_all();
}

application& application::run_as(std::string user, std::string group)
{
    user_ = std::move(user);
    group_ = std::move(group);
    return *this;
}

void application::end_with_services()
{
    loop_.engine().ending = [this] {
        loop_engine& engine = loop_.engine();
        asio::co_spawn(engine.executor, end_after(stop(), engine.weak_from_this(), log_prefix()),
                       asio::detached);
    };
}

} // namespace postrider::app
