// SPDX-License-Identifier: MIT
// delivery/host_memory: a map with an end.

#include "delivery/host_memory.hpp"

#include <algorithm>

namespace postrider::delivery {

void host_memory::remember_for(std::chrono::seconds how_long)
{
    remembered_ = std::clamp<std::chrono::seconds>(how_long, std::chrono::seconds(0), std::chrono::years(1));
}

void host_memory::mark_bad(const std::string& host, net::time_point now)
{
    bad_until_[host] = now + remembered_;
    if (bad_until_.size() <= hosts_max_)
        return;
    std::erase_if(bad_until_, [&](const auto& entry) { return now >= entry.second; });
    if (bad_until_.size() > hosts_max_)
        bad_until_.erase(std::min_element(bad_until_.begin(), bad_until_.end(),
                                          [](const auto& a, const auto& b) { return a.second < b.second; }));
}

void host_memory::mark_good(const std::string& host) { bad_until_.erase(host); }

bool host_memory::is_bad(const std::string& host, net::time_point now) const
{
    const auto found = bad_until_.find(host);
    return found != bad_until_.end() && now < found->second;
}

} // namespace postrider::delivery
