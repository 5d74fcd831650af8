// SPDX-License-Identifier: MIT
// sandbox/http_guard: whether a request on loopback comes from the person at this machine.

#include "sandbox/http_guard.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace postrider::sandbox {

namespace {

// "name", or "name:" and one to five digits.
bool is_name_with_port(std::string_view host, std::string_view name) noexcept
{
    if (!base::equal_ignoring_case(host.substr(0, name.size()), name))
        return false;
    auto rest = host.substr(name.size());
    if (rest.empty())
        return true;
    if (rest.front() != ':')
        return false;
    rest.remove_prefix(1);
    return !rest.empty() && rest.size() <= 5 && std::all_of(rest.begin(), rest.end(), base::is_digit);
}

} // namespace

bool is_own_host(std::string_view host, std::string_view listening_address) noexcept
{
    for (const std::string_view name : {"127.0.0.1", "localhost", "[::1]"})
        if (is_name_with_port(host, name))
            return true;
    return is_name_with_port(host, listening_address);
}

bool is_own_request(std::string_view host, std::string_view origin, std::string_view fetch_site) noexcept
{
    // "same-site" is not enough: every port of localhost is one site, and the program being
    // developed on port 3000 has no business here. "none" is a person typing the address.
    if (!fetch_site.empty() && fetch_site != "same-origin" && fetch_site != "none")
        return false;
    constexpr std::string_view scheme = "http://";
    return origin.empty() ||
           (origin.starts_with(scheme) && base::equal_ignoring_case(origin.substr(scheme.size()), host));
}

} // namespace postrider::sandbox
