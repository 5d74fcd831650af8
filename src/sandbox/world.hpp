// SPDX-License-Identifier: MIT
#pragma once
// sandbox/world: the small mail Internet that a sandbox is to be: names, and the hosts that take mail.
//
// Written as a zone file (sandbox/zone) with one line more: a host that does not listen, so that
// connecting to it is refused.
//
//   example.org        MX    10 mx1.example.org
//   mx1.example.org    A     127.0.0.2
//   mx1.example.org    DOWN
//
// Every host with an address is an exchanger: those that MX records name, and those that take mail for
// their own name without one (RFC 5321 §5.1). All listen on one port, so that each needs an address
// of its own; an address outside 127/8 and ::1 can be looked up, but nobody listens there.

#include "net/asio.hpp"
#include "sandbox/zone.hpp"

#include <boost/asio/ip/address.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::sandbox {

struct exchanger {
    std::string name; ///< "mx1.example.org"
    std::vector<asio::ip::address> addresses;
    bool listens = true; ///< false: DOWN, or it has no loopback address

    /// Those of its addresses that the sandbox may listen on.
    std::vector<asio::ip::address> loopback_addresses() const;
};

struct world {
    std::shared_ptr<const zone> names;
    std::vector<exchanger> exchangers; ///< in the order of their names

    struct sample {
        std::string domain; ///< "" if nobody takes mail
        std::string host;   ///< the exchanger that will take it
    };

    /// Where to send a first message. Of several domains it is the one with the most MX records,
    /// which has most to show; without one, an exchanger that takes mail for its own name.
    sample to_try() const;
};

/// Reads text as above. A problem with a line begins with "line 7: ".
result<world> parse_world(std::string_view text);

/// The world that is there when none is given: example.org, whose first exchanger is down;
/// example.net with one; and domains with null MX, without one, with an alias, and with DNS that
/// fails or is silent. It reads as its own description.
std::string_view default_world() noexcept;

} // namespace postrider::sandbox
