// SPDX-License-Identifier: MIT
// app/reconnecting_client_factory: the wait in between.

#include "postrider/app/reconnecting_client_factory.hpp"

#include "app/loop_engine.hpp"

#include <fmt/format.h>

#include <utility>

namespace postrider::app {

reconnecting_client_factory::reconnecting_client_factory(backoff waits) : waits_(std::move(waits)) {}

// A call that is still to come would reach into what is gone.
reconnecting_client_factory::~reconnecting_client_factory()
{
    for (delayed_call& one : waiting_)
        one.cancel();
}

void reconnecting_client_factory::stop_trying()
{
    trying_ = false;
    for (delayed_call& one : std::exchange(waiting_, {}))
        one.cancel();
}

void reconnecting_client_factory::reset_delay() { waits_.reset(); }

void reconnecting_client_factory::connection_failed(connector& which, const reason& why)
{
    retry(which, why);
}

void reconnecting_client_factory::connection_lost(connector& which, const reason& why)
{
    if (which.stood() > waits_.maximum())
        reset_delay();
    retry(which, why);
}

void reconnecting_client_factory::retry(connector& which, const reason& why)
{
    if (!trying_ || !which.active())
        return;
    if (attempts_max_ && waits_.attempts() >= *attempts_max_) {
        client_factory::connection_failed(which, why);
        return;
    }
    const auto& world = which.loop().engine().world();
    const backoff::duration wait =
        waits_.next([&world](std::uint32_t bound) { return world->random(bound); });
    log().warning(fmt::format("{}; connecting to {} again in {:.1f} s", why.sentence(), which.destination(),
                              std::chrono::duration<double>(wait).count()));
    std::erase_if(waiting_, [](const delayed_call& one) { return !one.active(); });
    const auto again = [kept = which.weak_from_this()] {
        // Somebody else may have connected meanwhile.
        if (const auto alive = kept.lock(); alive && alive->idle())
            alive->connect();
    };
    waiting_.push_back(which.loop().call_later(wait, again, log_prefix()));
}

} // namespace postrider::app
