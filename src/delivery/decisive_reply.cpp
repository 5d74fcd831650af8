// SPDX-License-Identifier: MIT
// delivery/decisive_reply: a rank for each phase.

#include "delivery/decisive_reply.hpp"

#include <algorithm>

namespace postrider::delivery {
namespace {

int rank_of(phase where) noexcept
{
    switch (where) {
    case phase::body: // a refusal that did not wait for the end
    case phase::end_of_data: return 3;
    case phase::mail:
    case phase::data: return 2;
    default: return 1;
    }
}

} // namespace

const reply* decisive_reply(const std::vector<recipient_report>& recipients)
{
    const recipient_report* best = nullptr;
    for (const recipient_report& r : recipients)
        if (r.said && (!best || rank_of(r.where) >= rank_of(best->where)))
            best = &r;
    return best ? &*best->said : nullptr;
}

std::string text_of(const reply& said)
{
    const std::string whole = said.to_string();
    return whole.substr(std::min<std::size_t>(whole.size(), 4)); // "250 "
}

} // namespace postrider::delivery
