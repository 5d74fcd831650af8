// SPDX-License-Identifier: MIT
#pragma once
// delivery/message: what is sent: an envelope and the octets inside.

#include "postrider/address.hpp"
#include "postrider/body.hpp"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postrider {

/// Who it is from and who it is for, as the servers on the way see it (RFC 5321 §2.3.1). What the
/// header fields say is another matter, and only for people.
class envelope {
public:
    /// The null reverse-path: for reports about other mail, so that nobody reports about them.
    envelope() = default;
    explicit envelope(address reverse_path) : from_(std::move(reverse_path)) {}
    envelope(address reverse_path, std::vector<address> recipients)
        : from_(std::move(reverse_path)), to_(std::move(recipients))
    {
    }

    /// From text; throws std::invalid_argument with a sentence if one is no address. An empty
    /// reverse-path is the null one.
    envelope(std::string_view reverse_path, std::initializer_list<std::string_view> recipients);

    envelope& to(address recipient) &
    {
        to_.push_back(std::move(recipient));
        return *this;
    }
    envelope&& to(address recipient) && { return std::move(to(std::move(recipient))); }

    const std::optional<address>& reverse_path() const noexcept { return from_; }
    const std::vector<address>& recipients() const noexcept { return to_; }

private:
    std::optional<address> from_;
    std::vector<address> to_;
};

class message {
public:
    message(postrider::envelope e, body content) : envelope_(std::move(e)), content_(std::move(content)) {}

    const postrider::envelope& envelope() const noexcept { return envelope_; }
    const body& content() const noexcept { return content_; }

private:
    postrider::envelope envelope_;
    body content_;
};

} // namespace postrider
