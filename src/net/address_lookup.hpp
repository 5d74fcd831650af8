// SPDX-License-Identifier: MIT
#pragma once
// net/address_lookup: the AAAA and the A records of one host, asked for at the same time.

#include "net/environment.hpp"

#include <chrono>
#include <memory>

namespace postrider::net {

struct address_answers {
    dns::answer aaaa, a;
};
using address_handler = asio::any_completion_handler<void(address_answers)>;

void look_up_addresses(std::shared_ptr<environment> world, dns::name host, std::chrono::milliseconds limit,
                       address_handler done);

template <asio::completion_token_for<void(address_answers)> Token>
auto async_look_up_addresses(std::shared_ptr<environment> world, dns::name host,
                             std::chrono::milliseconds limit, Token&& token)
{
    return asio::async_initiate<Token, void(address_answers)>(
        [](auto done, std::shared_ptr<environment> w, dns::name h, std::chrono::milliseconds l) {
            look_up_addresses(std::move(w), std::move(h), l, std::move(done));
        },
        token, std::move(world), std::move(host), limit);
}

} // namespace postrider::net
