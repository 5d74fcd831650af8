// SPDX-License-Identifier: MIT
#pragma once
// sandbox/http_guard: whether a request on loopback comes from the person at this machine.
//
// Any web page may make a browser send requests to 127.0.0.1, and may let its own name resolve to
// it. What such a page cannot do is choose what the browser says in Host, Origin and
// Sec-Fetch-Site: these decide. Programs such as curl send neither of the last two, and may pass,
// since they have this machine's network already.

#include <string_view>

namespace postrider::sandbox {

/// True if the Host field names this machine: 127.0.0.1, localhost, [::1] or the address that is
/// listened on, each with or without a port. Any other name may be an attacker's (DNS rebinding).
bool is_own_host(std::string_view host, std::string_view listening_address) noexcept;

/// True unless the request was made by a page of another site or of another port of this one.
/// `origin` and `fetch_site` are the fields' values, "" where a field is missing.
bool is_own_request(std::string_view host, std::string_view origin, std::string_view fetch_site) noexcept;

} // namespace postrider::sandbox
