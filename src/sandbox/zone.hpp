// SPDX-License-Identifier: MIT
#pragma once
// sandbox/zone: all that the sandbox's DNS knows, and what it answers to a question.
//
// A zone is the whole of a small world, from the root down: names of any domain are served with
// authority, and what is not in it does not exist. It can be added to record by record, or read
// from text in which each line says one thing of one name:
//
//   example.org              MX     10 mx1.example.org    ; lines of master files (RFC 1035 §5)
//   mx1.example.org    300   A      127.0.0.2             # with a time to live, in seconds
//   *.example.org            TXT    "v=spf1 -all"         ; for names that are not there (RFC 4592)
//   nomail.example           MX     0 .                   ; null MX
//   broken.example           SERVFAIL                     ; a behaviour instead of data,
//   mx1.example.org          TLSA   SERVFAIL              ; or for one type alone
//
// Every name is absolute, with or without its final dot, and written whole: there is no $ORIGIN, no @,
// no name left out, no line that goes on. Types: A AAAA CNAME MX NS PTR TLSA TXT. Behaviours: SERVFAIL,
// REFUSED, NOTIMP, NXDOMAIN, and SILENT, which gives no answer at all; a CNAME to a host of such
// a name is written with the final dot. The class may be given, and is IN.
//
// What contradicts itself is a problem: an alias with other data, a behaviour beside data.

#include "dns/message.hpp"
#include "postrider/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace postrider::sandbox {

enum class dns_behaviour {
    server_failure,
    refused,
    not_implemented,
    name_error, ///< NXDOMAIN, also where a wildcard would have answered
    silent,
};

class zone {
public:
    static constexpr std::uint32_t default_ttl = 60;

    /// Reads text as above. The problem begins with "line 7: ".
    static result<zone> parse(std::string_view text);

    /// Adds a record; one that is there already changes nothing. The problem says what it contradicts.
    std::optional<problem> add(dns::record what);

    /// Makes questions about this name, of this type or of all, be answered in this way.
    std::optional<problem> add(const dns::name& owner, std::optional<dns::type> kind, dns_behaviour what);

    /// All records, by name: to find out which exchangers there are.
    std::vector<dns::record> records() const;

    /// What to answer to a query; nothing: keep silent. Aliases are followed, as far as 16 links.
    std::optional<dns::message> reply_to(const dns::message& query) const;

private:
    struct node {
        std::vector<dns::record> records;
        std::optional<dns_behaviour> behaviour;
        std::map<dns::type, dns_behaviour> behaviours;
    };

    const node* find(const dns::name& owner) const;
    bool exists(const dns::name& owner) const;
    bool resolve(const dns::question& asked, dns::message& reply) const;

    std::map<dns::name, node> nodes_; // below a name, what stands below it: see dns::name's order
};

} // namespace postrider::sandbox
