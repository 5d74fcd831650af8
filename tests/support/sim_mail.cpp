// SPDX-License-Identifier: MIT
// support/sim_mail: line ends and sentences.

#include "support/sim_mail.hpp"

#include <fmt/format.h>

namespace postrider::test {

std::string normal_form(std::string_view octets)
{
    std::string normal;
    for (std::size_t i = 0; i < octets.size(); ++i) {
        if (octets[i] != '\r' && octets[i] != '\n') {
            normal += octets[i];
            continue;
        }
        normal += "\r\n";
        if (octets[i] == '\r' && i + 1 < octets.size() && octets[i + 1] == '\n')
            ++i;
    }
    if (!normal.empty() && !normal.ends_with("\r\n"))
        normal += "\r\n";
    return normal;
}

std::string verdicts(const report& r)
{
    std::string all;
    for (const recipient_report& one : r.recipients) {
        all += all.empty() ? "" : ", ";
        all += to_string(one.verdict);
        if (one.said)
            all += fmt::format(" {}", one.said->code());
    }
    return all;
}

std::string in_full(const report& r)
{
    std::string all;
    for (const recipient_report& one : r.recipients)
        all += fmt::format("{}: {} in {} by {} [{}] {}: {} ({})\n", one.recipient.to_string(),
                           to_string(one.verdict), to_string(one.where), one.host, one.peer,
                           one.said ? one.said->code() : 0, one.why, one.error.message());
    return all;
}

} // namespace postrider::test
