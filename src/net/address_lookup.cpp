// SPDX-License-Identifier: MIT
// net/address_lookup: two questions, one answer.

#include "net/address_lookup.hpp"

#include "net/complete.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>

#include <utility>

namespace postrider::net {
namespace {

struct both {
    std::shared_ptr<environment> world;
    address_handler done;
    address_answers answers;
    asio::cancellation_signal stop_aaaa, stop_a;
    int open = 2;

    void answered()
    {
        if (--open == 0)
            complete_later(world->executor(), std::exchange(done, nullptr), std::move(answers));
    }
};

} // namespace

void look_up_addresses(std::shared_ptr<environment> world, dns::name host, std::chrono::milliseconds limit,
                       address_handler done)
{
    auto b = std::make_shared<both>();
    b->world = std::move(world);
    b->done.swap(done); // Asio 1.81's move assignment never ends
    auto slot = asio::get_associated_cancellation_slot(b->done);
    if (slot.is_connected())
        slot.assign([weak = std::weak_ptr<both>(b)](asio::cancellation_type type) {
            if (auto alive = weak.lock()) {
                alive->stop_aaaa.emit(type);
                alive->stop_a.emit(type);
            }
        });
    const auto executor = b->world->executor();
    auto aaaa_came = [b](dns::answer answer) {
        b->answers.aaaa = std::move(answer);
        b->answered();
    };
    auto a_came = [b](dns::answer answer) {
        b->answers.a = std::move(answer);
        b->answered();
    };
    resolver& names = b->world->names();
    names.resolve(host, dns::type::aaaa, limit,
                  asio::bind_cancellation_slot(b->stop_aaaa.slot(),
                                               asio::bind_executor(executor, std::move(aaaa_came))));
    names.resolve(
        std::move(host), dns::type::a, limit,
        asio::bind_cancellation_slot(b->stop_a.slot(), asio::bind_executor(executor, std::move(a_came))));
}

} // namespace postrider::net
