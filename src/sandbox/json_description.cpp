// SPDX-License-Identifier: MIT
// sandbox/json_description: the description as JSON.

#include "sandbox/json_description.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <utility>

namespace postrider::sandbox {

namespace json = boost::json;

std::string description::resolver() const { return fmt::format("{}:{}", dns_address, dns_port); }

std::string description::page() const { return fmt::format("http://{}:{}/", page_address, page_port); }

std::string to_json(const description& what)
{
    json::array exchangers;
    for (const description::host& host : what.exchangers) {
        json::array addresses(host.addresses.begin(), host.addresses.end());
        exchangers.push_back(json::object{{"name", host.name},
                                          {"address", host.addresses.front()},
                                          {"addresses", std::move(addresses)},
                                          {"port", what.smtp_port},
                                          {"listens", host.listens}});
    }
    json::object all{{"dns", what.resolver()},
                     {"dns_port", what.dns_port},
                     {"smtp_port", what.smtp_port},
                     {"exchangers", std::move(exchangers)},
                     {"try", json::array(what.commands.begin(), what.commands.end())}};
    if (what.page_port != 0) {
        all["http_port"] = what.page_port;
        all["page"] = what.page();
    }
    return json::serialize(all);
}

} // namespace postrider::sandbox
