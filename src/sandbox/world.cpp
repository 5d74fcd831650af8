// SPDX-License-Identifier: MIT
// sandbox/world: who takes mail, as far as DNS and the lines marked DOWN say.

#include "sandbox/world.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

namespace postrider::sandbox {
namespace {

struct down_mark {
    dns::name host;
    std::size_t line;
};

std::vector<std::string_view> words_of(std::string_view line)
{
    constexpr std::string_view blanks = " \t\r";
    line = line.substr(0, line.find_first_of(";#\""));
    std::vector<std::string_view> words;
    for (;;) {
        line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
        if (line.empty())
            return words;
        words.push_back(line.substr(0, line.find_first_of(blanks)));
        line.remove_prefix(words.back().size());
    }
}

/// Takes the lines that mark a host as down out of `text`. Spaces stay in their place, so that
/// whoever reads the rest counts the same lines and offsets.
result<std::vector<down_mark>> take_down_marks(std::string& text)
{
    std::vector<down_mark> marks;
    std::size_t number = 1;
    for (std::size_t start = 0; start < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::vector<std::string_view> words =
            words_of(std::string_view(text).substr(start, end - start));
        if (words.size() == 2 && base::equal_ignoring_case(words[1], "DOWN")) {
            result<dns::name> host = dns::name::parse(words[0]);
            if (!host)
                return problem{fmt::format("line {}: \"{}\": {}", number, base::escaped(words[0], 80),
                                           host.problem().what),
                               start};
            marks.push_back({std::move(*host), number});
            std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(start), end - start, ' ');
        }
        start = end + 1;
    }
    return marks;
}

std::optional<asio::ip::address> address_in(const dns::record& r)
{
    if (const auto* v4 = std::get_if<dns::a_data>(&r.data))
        return asio::ip::address_v4(v4->octets);
    if (const auto* v6 = std::get_if<dns::aaaa_data>(&r.data))
        return asio::ip::address_v6(v6->octets);
    return std::nullopt;
}

bool is_wildcard(const dns::name& owner) { return !owner.is_root() && owner.labels().front() == "*"; }

const exchanger* listening(const std::vector<exchanger>& exchangers, const std::vector<std::string>& names)
{
    const auto fits = [&](const exchanger& e) {
        const auto same = [&](const std::string& name) { return base::equal_ignoring_case(e.name, name); };
        return e.listens && std::any_of(names.begin(), names.end(), same);
    };
    const auto found = std::find_if(exchangers.begin(), exchangers.end(), fits);
    return found == exchangers.end() ? nullptr : &*found;
}

using hosts = std::map<dns::name, exchanger>;

hosts hosts_in(const std::vector<dns::record>& records)
{
    hosts found;
    for (const dns::record& r : records) {
        const std::optional<asio::ip::address> address = address_in(r);
        if (!address || is_wildcard(r.owner))
            continue;
        exchanger& host = found[r.owner];
        host.name = r.owner.to_string();
        host.addresses.push_back(*address);
    }
    for (auto& [name, host] : found)
        host.listens = !host.loopback_addresses().empty();
    return found;
}

std::optional<problem> put_down(const std::vector<down_mark>& marks, hosts& all)
{
    for (const down_mark& mark : marks) {
        const auto host = all.find(mark.host);
        if (host == all.end())
            return problem{fmt::format("line {}: {} is DOWN but has no address: is the name right?",
                                       mark.line, mark.host.to_string())};
        host->second.listens = false;
    }
    return std::nullopt;
}

/// A message must say truly which exchanger took it, so no two may share an address.
std::optional<problem> shared_address(const hosts& all)
{
    std::map<asio::ip::address, std::string> taken;
    for (const auto& [name, host] : all)
        for (const asio::ip::address& address : host.loopback_addresses()) {
            const auto [owner, fresh] = taken.emplace(address, host.name);
            if (!fresh)
                return problem{
                    fmt::format("{} is the address of {} and of {}: all exchangers listen on one port, so "
                                "each needs an address of its own",
                                address.to_string(), owner->second, host.name)};
        }
    return std::nullopt;
}

} // namespace

std::vector<asio::ip::address> exchanger::loopback_addresses() const
{
    std::vector<asio::ip::address> ours;
    std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(ours),
                 [](const asio::ip::address& a) { return a.is_loopback(); });
    return ours;
}

world::sample world::to_try() const
{
    std::map<dns::name, std::vector<std::string>> hosts_by_domain; // all that its MX records name
    for (const dns::record& r : names->records())
        if (const auto* mx = std::get_if<dns::mx_data>(&r.data); mx && !is_wildcard(r.owner))
            hosts_by_domain[r.owner].push_back(mx->exchanger.to_string());

    sample best;
    std::size_t most = 0;
    for (const auto& [domain, hosts] : hosts_by_domain) {
        const exchanger* host = listening(exchangers, hosts);
        if (host && hosts.size() > most) {
            best = {domain.to_string(), host->name};
            most = hosts.size();
        }
    }
    if (most == 0)
        for (const exchanger& e : exchangers)
            if (e.listens)
                return {e.name, e.name};
    return best;
}

result<world> parse_world(std::string_view text)
{
    std::string rest(text);
    const result<std::vector<down_mark>> marks = take_down_marks(rest);
    if (!marks)
        return marks.problem();
    result<zone> names = zone::parse(rest);
    if (!names)
        return names.problem();
    hosts all = hosts_in(names->records());
    if (const auto wrong = put_down(*marks, all))
        return *wrong;
    if (const auto wrong = shared_address(all))
        return *wrong;
    world made;
    made.names = std::make_shared<const zone>(std::move(*names));
    for (auto& [name, host] : all)
        made.exchangers.push_back(std::move(host));
    return made;
}

std::string_view default_world() noexcept
{
    return R"(; Two exchangers; the first one is down, so mail goes to the second.
example.org        MX    10 mx1.example.org
example.org        MX    20 mx2.example.org
mx1.example.org    A     127.0.0.3
mx1.example.org    DOWN
mx2.example.org    A     127.0.0.2

; One exchanger.
example.net        MX    10 mx.example.net
mx.example.net     A     127.0.0.4

; No MX: the domain's own address takes its mail.
direct.example     A     127.0.0.5

; This host, for programs that know no other.
localhost            A     127.0.0.1

; An alias: mail for it goes where mail for example.net goes.
alias.example      CNAME example.net.

; Every exchanger is down.
down.example       MX    10 mx.down.example
mx.down.example    A     127.0.0.6
mx.down.example    DOWN

; Takes no mail, and says so (null MX).
null.example       MX    0 .

; DNS that fails, and DNS that does not answer. What is not here at all does not exist.
broken.example     SERVFAIL
silent.example     SILENT
)";
}

} // namespace postrider::sandbox
