// SPDX-License-Identifier: MIT
// app/multi_service: services in their order, and what may change in it while they start and stop.

#include "app/loop_engine.hpp"
#include "app/service_ending.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_set>
#include <utility>

namespace postrider::app {
namespace {

std::string names_of(const std::vector<std::shared_ptr<service>>& all)
{
    std::string names;
    for (const auto& one : all)
        if (!one->name().empty())
            names += (names.empty() ? "" : ", ") + one->name();
    return names.empty() ? "none has a name" : "there are: " + names;
}

} // namespace

multi_service::multi_service(std::string name) : service(std::move(name)) {}
multi_service::~multi_service() { disown_all(); }

void multi_service::disown_all() noexcept
{
    for (const auto& one : leaving_) {
        one->on_abandon();
        one->left_ = nullptr;
    }
    leaving_.clear();
    while (!services_.empty()) {
        const std::shared_ptr<service> last = std::move(services_.back());
        services_.pop_back();
        if (last->stage_ != stage::idle)
            last->on_abandon();
        last->parent_ = nullptr;
    }
}

void multi_service::add(std::shared_ptr<service> one)
{
    if (!one)
        throw std::invalid_argument(fmt::format("there is no service to be added to {}", log_prefix()));
    if (one->parent_)
        throw std::logic_error(fmt::format("the service {} belongs to {} already", one->log_prefix(),
                                           one->parent_->log_prefix()));
    one->require_idle();
    for (const service* above = this; above; above = above->parent_)
        if (above == one.get())
            throw std::logic_error(fmt::format("the service {} cannot belong to itself", one->log_prefix()));
    if (!one->name_.empty() && find(one->name_))
        throw std::invalid_argument(
            fmt::format("{} has a service of the name {} already", log_prefix(), one->name_));
    services_.push_back(one);
    one->parent_ = this;
    if (running())
        start_late(one);
}

void multi_service::start_late(const std::shared_ptr<service>& one)
{
    try {
        one->start();
    } catch (...) {
        if (app::loop* const above = find_loop())
            above->engine().failed_start.clear(); // whoever adds may be content without it
        if (one->parent_ == this)
            static_cast<void>(take_out(*one));
        throw;
    }
}

// Its end is waited for with our own: until then it may use our loop.
std::shared_ptr<service::ending> multi_service::take_out(service& one)
{
    const std::shared_ptr<service> kept = one.shared_from_this();
    std::shared_ptr<ending> rest = one.begin_stop();
    if (one.parent_ != this) // its on_stop() did the same
        return rest;
    one.parent_ = nullptr;
    std::erase(services_, kept);
    if (one.ending_) {
        one.left_ = this;
        leaving_.push_back(kept);
    }
    return rest;
}

asio::awaitable<void> multi_service::remove(service& one)
{
    if (one.parent_ != this)
        throw std::invalid_argument(
            fmt::format("the service {} does not belong to {}", one.log_prefix(), log_prefix()));
    one.require_prepared();
    return wait_for(take_out(one));
}

void multi_service::forget(service& one) noexcept
{
    std::erase_if(leaving_, [&one](const auto& left) { return left.get() == &one; });
}

std::shared_ptr<service> multi_service::find(std::string_view name) const noexcept
{
    const auto found =
        std::ranges::find_if(services_, [name](const auto& one) { return one->name() == name; });
    return found == services_.end() || name.empty() ? nullptr : *found;
}

service& multi_service::at(std::string_view name) const
{
    if (const std::shared_ptr<service> found = find(name))
        return *found;
    throw std::out_of_range(
        fmt::format("{} has no service of the name {}; {}", log_prefix(), name, names_of(services_)));
}

// Each once, also those that are added meanwhile; who is taken out meanwhile is not reached, and nobody
// is once this one is to stop.
void multi_service::do_in_order(void (service::*step)())
{
    std::unordered_set<std::shared_ptr<service>> reached;
    const auto next = [this, &reached] {
        return std::ranges::find_if(services_, [&](const auto& one) { return !reached.contains(one); });
    };
    for (auto place = next(); place != services_.end() && !ending_; place = next()) {
        const std::shared_ptr<service> one = *place;
        reached.insert(one);
        (one.get()->*step)();
    }
}

// A class derived from this one undoes its own part: it is not asked to by on_stop().
void multi_service::on_privileged_start()
{
    try {
        do_in_order(&service::privileged_start);
    } catch (...) {
        want_stop();
        stage_ = stage::stopping;
        end_with(multi_service::on_stop());
        throw;
    }
}

// When one throws, service::start() stops this one, and with it those that had started.
void multi_service::on_start() { do_in_order(&service::start); }

void multi_service::stop_all()
{
    const std::vector<std::shared_ptr<service>> all = services_;
    for (auto place = all.rbegin(); place != all.rend(); ++place)
        if ((*place)->parent_ == this)
            (*place)->begin_stop();
}

eventually<void> multi_service::on_stop()
{
    stop_all();
    if (!next_ending())
        return {};
    return wait_for_all(ending_);
}

std::shared_ptr<service::ending> multi_service::next_ending() const noexcept
{
    for (const auto* list : {&services_, &leaving_})
        for (const auto& one : *list)
            if (one->ending_)
                return one->ending_;
    return nullptr;
}

// Anew each time: what is taken out meanwhile, or was only starting, counts too.
asio::awaitable<void> multi_service::wait_for_all(std::shared_ptr<ending> own)
{
    while (own->of) {
        const std::shared_ptr<ending> next = static_cast<const multi_service*>(own->of)->next_ending();
        if (!next)
            co_return;
        co_await wait_for(next);
    }
}

} // namespace postrider::app
