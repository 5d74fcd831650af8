// SPDX-License-Identifier: MIT
// delivery/host_memory: a map with an end.

#include "delivery/host_memory.hpp"

#include <algorithm>

namespace postrider::delivery {

void host_memory::mark_bad(const std::string& host, net::time_point now)
{
    failed_[host] = now;
    if (failed_.size() <= hosts_max_)
        return;
    std::erase_if(failed_, [&](const auto& entry) { return now - entry.second >= remembered_; });
    if (failed_.size() > hosts_max_)
        failed_.erase(std::min_element(failed_.begin(), failed_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; }));
}

void host_memory::mark_good(const std::string& host) { failed_.erase(host); }

bool host_memory::is_bad(const std::string& host, net::time_point now) const
{
    const auto found = failed_.find(host);
    return found != failed_.end() && now - found->second < remembered_;
}

} // namespace postrider::delivery
