// SPDX-License-Identifier: MIT
#pragma once
// dns/name: a domain name as DNS means it (RFC 1035 §3.1): labels, compared without case.
//
// At most 255 octets on the wire, 63 a label; any octet may stand in a label. The root is the empty
// list of labels. Text form: labels with dots, no final dot (the root is "."), octets that are not
// printable as \DDD.

#include "postrider/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace postrider::dns {

class name {
public:
    name() = default; ///< the root

    /// "mx1.example.org" or "mx1.example.org."; escapes \. \\ and \DDD are understood.
    static result<name> parse(std::string_view text);
    /// From labels off the wire; a problem if they are too long.
    static result<name> from_labels(std::vector<std::string> labels);

    const std::vector<std::string>& labels() const noexcept { return labels_; }
    bool is_root() const noexcept { return labels_.empty(); }
    std::string to_string() const;

    /// True if this name is `ancestor` or stands below it.
    bool is_within(const name& ancestor) const noexcept;

    friend bool operator==(const name& a, const name& b) noexcept;
    friend bool operator<(const name& a, const name& b) noexcept; ///< some order, for maps

private:
    std::vector<std::string> labels_;
};

} // namespace postrider::dns
