// SPDX-License-Identifier: MIT
#pragma once
// net/connector: one connection out of several addresses, tried in overlapping turns (RFC 8305).
//
// The addresses are tried in the order given; the next one starts when the one before has failed,
// or has not succeeded within a quarter of a second. The first that stands wins and the others are
// given up. An address without a route so costs nothing, a silent one 250 ms.

#include "net/environment.hpp"
#include "policy/failure.hpp"
#include "postrider/stream.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace postrider::net {

struct connect_limits {
    std::chrono::milliseconds head_start{250}; ///< RFC 8305 §5: Connection Attempt Delay
    std::chrono::milliseconds each{30'000};    ///< for one address
    std::chrono::milliseconds total{60'000};   ///< for all of them
};

struct connect_result {
    std::unique_ptr<stream> made;                  ///< nothing: none could be reached, or cancelled
    std::vector<policy::connect_failure> failures; ///< in the order in which they failed
    bool cancelled = false;
};
using connect_result_handler = asio::any_completion_handler<void(connect_result)>;

/// `host` is the name for reports. Cancelling through the handler's slot gives `cancelled`.
void connect_any(std::shared_ptr<environment> world, std::string host, std::vector<endpoint> places,
                 connect_limits limits, connect_result_handler done);

template <asio::completion_token_for<void(connect_result)> Token>
auto async_connect_any(std::shared_ptr<environment> world, std::string host, std::vector<endpoint> places,
                       connect_limits limits, Token&& token)
{
    return asio::async_initiate<Token, void(connect_result)>(
        [](auto done, std::shared_ptr<environment> w, std::string h, std::vector<endpoint> p,
           connect_limits l) { connect_any(std::move(w), std::move(h), std::move(p), l, std::move(done)); },
        token, std::move(world), std::move(host), std::move(places), limits);
}

} // namespace postrider::net
