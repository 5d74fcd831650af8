// SPDX-License-Identifier: MIT
#pragma once
// delivery/host_memory: hosts that failed lately, to be tried last.
//
// Bounded: beyond `hosts_max` the one whose time would be over first is forgotten. Forgetting costs a
// slow attempt, never a message.

#include "net/clock.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace postrider::delivery {

class host_memory {
public:
    explicit host_memory(std::chrono::seconds remembered = std::chrono::minutes(5),
                         std::size_t hosts_max = 10'000)
        : remembered_(remembered), hosts_max_(hosts_max)
    {
    }

    /// For marks from now on; a year at most, as beyond it points in time have an end.
    void remember_for(std::chrono::seconds how_long);

    void mark_bad(const std::string& host, net::time_point now);
    void mark_good(const std::string& host);
    bool is_bad(const std::string& host, net::time_point now) const;
    std::size_t size() const noexcept { return bad_until_.size(); }

private:
    std::chrono::seconds remembered_;
    std::size_t hosts_max_;
    std::map<std::string, net::time_point> bad_until_;
};

} // namespace postrider::delivery
