// SPDX-License-Identifier: MIT
// cli/exit_status: from verdicts to a number.

#include "cli/exit_status.hpp"

#include "postrider/error.hpp"

#include <algorithm>

namespace postrider::cli {

exit_status status_of(const std::vector<report>& reports)
{
    std::vector<const recipient_report*> all;
    for (const report& r : reports)
        for (const recipient_report& one : r.recipients)
            all.push_back(&one);
    const auto any = [&](auto what) { return std::any_of(all.begin(), all.end(), what); };
    const auto every = [&](auto what) { return !all.empty() && std::all_of(all.begin(), all.end(), what); };

    if (every([](const auto* r) { return r->verdict == verdict::delivered; }))
        return exit_ok;
    if (any([](const auto* r) { return r->error == error::invalid_argument; }))
        return exit_usage;
    if (every([](const auto* r) {
            return r->error == error::protocol_broken || r->error == error::out_of_step;
        }))
        return exit_protocol;
    if (any([](const auto* r) { return r->error == error::body_failed; }))
        return exit_no_input;
    if (any([](const auto* r) { return r->verdict == verdict::refused && r->where != phase::lookup; }))
        return exit_unavailable;
    if (any([](const auto* r) { return r->verdict == verdict::refused; }))
        return exit_no_host;
    return exit_temporary;
}

} // namespace postrider::cli
