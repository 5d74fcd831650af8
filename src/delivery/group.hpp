// SPDX-License-Identifier: MIT
#pragma once
// delivery/group: the messages for one domain, brought to its exchangers.
//
// For each exchanger in order: its addresses, a connection, and over it every message that is not
// decided yet. What policy/failure calls a failure of the host goes on to the next one; what it
// calls the site's word is final. When the last host has been tried, what all of them said decides.

#include "delivery/connection.hpp"
#include "delivery/host_memory.hpp"
#include "policy/mx_order.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace postrider::delivery {

/// What all groups of a mailer share.
struct shared_means {
    std::shared_ptr<net::environment> world;
    std::string our_name; ///< as from checked_name()
    settings how;
    host_memory hosts;
};

/// Recipients of one message who belong to the group, and where their report goes.
struct consignment {
    const message* what;
    std::vector<std::size_t> recipients; ///< indices into the envelope
    postrider::report* report;
};

struct group {
    std::string domain; ///< address::ascii_domain()
    std::vector<consignment> consignments;
};

/// Where the mail of a domain goes, from DNS.
asio::awaitable<policy::route> find_route(std::shared_ptr<shared_means> means, std::string domain);

/// The addresses of one exchanger.
asio::awaitable<policy::host_addresses> find_addresses(std::shared_ptr<shared_means> means,
                                                       policy::exchanger host);

/// Settles every recipient of the group. The messages and reports must stay until it has ended.
asio::awaitable<void> deliver_group(std::shared_ptr<shared_means> means, group what);

} // namespace postrider::delivery
