// SPDX-License-Identifier: MIT
// app/handshakes: one operation and one alarm each; whichever ends first calls off the other.

#include "app/handshakes.hpp"

#include "app/loop_engine.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>

#include <fmt/format.h>

#include <chrono>
#include <utility>
#include <vector>

namespace postrider::app {
namespace {

constexpr std::chrono::seconds longest_handshake{30};

} // namespace

handshakes::handshakes(app::loop& where, method how, logger log, finished tell)
    : loop_(where), how_(std::move(how)),
      shared_(std::make_shared<state>(state{{}, std::move(log), std::move(tell)}))
{
}

handshakes::~handshakes()
{
    shared_->tell = nullptr;
    cancel_all();
}

void handshakes::begin(std::uint64_t number, std::unique_ptr<stream> over)
{
    const auto mine = std::make_shared<handshake>();
    shared_->under_way.emplace(number, mine);
    const std::weak_ptr<handshake> weak = mine;
    auto on_alarm = [weak](error_code ec) {
        const auto hanging = weak.lock();
        if (ec || !hanging)
            return;
        hanging->late = true;
        hanging->operation.emit(asio::cancellation_type::terminal);
    };
    loop_.engine().wait(longest_handshake,
                        asio::bind_cancellation_slot(mine->alarm.slot(), std::move(on_alarm)));

    auto on_end = [to = shared_, mine, number, peer = over->peer()](net::tls_result result) {
        to->on_result(number, peer, std::move(result));
    };
    auto on_loop = asio::bind_executor(loop_.get_executor(), std::move(on_end));
    how_(std::move(over), asio::bind_cancellation_slot(mine->operation.slot(), std::move(on_loop)));
}

void handshakes::state::on_result(std::uint64_t number, const std::string& peer, net::tls_result result)
{
    const auto found = under_way.find(number);
    const std::shared_ptr<handshake> over = found->second;
    under_way.erase(found);
    over->alarm.emit(asio::cancellation_type::terminal);
    if (over->late)
        result.sentence = fmt::format("no end after {} s", longest_handshake.count());
    if (!result.made && !cancelled)
        log.limited(log_level::info, "handshake",
                    fmt::format("the handshake with {} failed: {}", peer, result.sentence));
    if (cancelled || over->late)
        result.made.reset(); // it came about in the moment in which it was called off
    if (const finished told = tell)
        told(number, std::move(result.made));
}

void handshakes::cancel_all()
{
    shared_->cancelled = true;
    std::vector<std::shared_ptr<handshake>> all;
    for (const auto& [number, one] : shared_->under_way)
        all.push_back(one);
    for (const auto& one : all) {
        one->alarm.emit(asio::cancellation_type::terminal);
        one->operation.emit(asio::cancellation_type::terminal);
    }
}

} // namespace postrider::app
