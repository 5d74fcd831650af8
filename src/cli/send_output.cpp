// SPDX-License-Identifier: MIT
// cli/send_output: what servers said is escaped here, whatever it is shown in.

#include "cli/send_output.hpp"

#include "base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postrider::cli {
namespace {

namespace json = boost::json;

colour colour_of(verdict v)
{
    switch (v) {
    case verdict::delivered: return colour::good;
    case verdict::refused: return colour::bad;
    case verdict::deferred:
    case verdict::in_doubt:
    case verdict::untried: break;
    }
    return colour::warning;
}

std::string host_text(const recipient_report& r)
{
    if (r.host.empty() || r.peer.empty() || r.peer == r.host || r.peer.starts_with(r.host + ":"))
        return r.peer.empty() ? r.host : r.peer;
    return fmt::format("{} ({})", r.host, r.peer);
}

std::string line_for(const recipient_report& r, std::size_t width, const terminal& to)
{
    std::string line = fmt::format("{:<{}}  {}", r.recipient.to_string(true), width,
                                   to.paint(to_string(r.verdict), colour_of(r.verdict)));
    if (const std::string host = host_text(r); !host.empty() && r.verdict == verdict::delivered)
        line += fmt::format("  by {}", host);
    if (r.verdict == verdict::delivered && r.said)
        return line + fmt::format("\n    {}", to.paint(r.said->to_string(), colour::faint));
    return r.why.empty() ? line : line + fmt::format("\n    {}", r.why);
}

// What a server said is not always UTF-8; JSON is. Escaping is for the reader of the JSON.
json::string text(std::string_view from_a_peer)
{
    return base::is_utf8(from_a_peer) ? json::string(from_a_peer)
                                      : json::string(base::escaped(from_a_peer, from_a_peer.size() * 4 + 16));
}

json::object object_for(const recipient_report& r)
{
    json::object o;
    o["recipient"] = r.recipient.to_string(true);
    o["verdict"] = to_string(r.verdict);
    o["phase"] = to_string(r.where);
    if (!r.host.empty())
        o["host"] = r.host;
    if (!r.peer.empty())
        o["peer"] = r.peer;
    if (!r.command.empty())
        o["command"] = text(r.command);
    if (r.said) {
        json::array lines;
        for (const std::string& l : r.said->lines())
            lines.emplace_back(text(l));
        o["reply"] = json::object{{"code", r.said->code()}, {"lines", std::move(lines)}};
    }
    if (r.status)
        o["enhanced_status_code"] = r.status->to_string();
    if (!r.why.empty())
        o["why"] = text(r.why);
    if (r.error)
        o["error"] = r.error.message();
    return o;
}

} // namespace

std::string report_text(const std::vector<report>& reports, const std::vector<std::string>& names,
                        const terminal& to)
{
    std::string out;
    for (std::size_t i = 0; i < reports.size(); ++i) {
        if (reports.size() > 1)
            out += fmt::format("{}:\n", base::escaped(names[i], 256));
        std::size_t width = 0;
        for (const recipient_report& r : reports[i].recipients)
            width = std::max(width, r.recipient.to_string(true).size());
        for (const recipient_report& r : reports[i].recipients)
            out += line_for(r, std::min<std::size_t>(width, 60), to) + "\n";
    }
    return out;
}

std::string report_json(const std::vector<report>& reports, const std::vector<std::string>& names,
                        exit_status status)
{
    json::array messages;
    for (std::size_t i = 0; i < reports.size(); ++i) {
        json::array recipients;
        for (const recipient_report& r : reports[i].recipients)
            recipients.emplace_back(object_for(r));
        messages.emplace_back(
            json::object{{"message", text(names[i])}, {"recipients", std::move(recipients)}});
    }
    return json::serialize(
               json::object{{"exit_status", static_cast<int>(status)}, {"messages", std::move(messages)}}) +
           "\n";
}

std::string plan_text(const std::vector<planned_route>& plan, const terminal& to)
{
    std::string out;
    for (const planned_route& p : plan) {
        std::string who;
        for (const address& a : p.recipients)
            who += (who.empty() ? "" : ", ") + a.to_string(true);
        out += fmt::format("{}: for {}\n", p.domain, who);
        for (const std::string& n : p.notes)
            out += fmt::format("    note: {}\n", n);
        if (!p.why.empty())
            out += fmt::format("    {}: {}\n", to.paint(to_string(p.meaning), colour_of(p.meaning)), p.why);
        for (const planned_route::host& h : p.hosts) {
            std::string where;
            for (const std::string& a : h.addresses)
                where += (where.empty() ? "" : ", ") + a;
            out += fmt::format("    {:>5}  {}  {}\n", h.implicit ? "-" : std::to_string(h.preference), h.name,
                               where.empty() ? h.why : where);
        }
    }
    return out;
}

std::string plan_json(const std::vector<planned_route>& plan)
{
    json::array domains;
    for (const planned_route& p : plan) {
        json::array recipients, hosts, notes;
        for (const address& a : p.recipients)
            recipients.emplace_back(a.to_string(true));
        for (const std::string& n : p.notes)
            notes.emplace_back(text(n));
        for (const planned_route::host& h : p.hosts) {
            json::array addresses;
            for (const std::string& a : h.addresses)
                addresses.emplace_back(a);
            json::object o{{"host", h.name}, {"implicit", h.implicit}, {"addresses", std::move(addresses)}};
            if (!h.implicit)
                o["preference"] = h.preference;
            if (!h.why.empty())
                o["why"] = text(h.why);
            hosts.emplace_back(std::move(o));
        }
        json::object o{
            {"domain", p.domain}, {"recipients", std::move(recipients)}, {"hosts", std::move(hosts)}};
        if (!p.why.empty()) {
            o["verdict"] = to_string(p.meaning);
            o["why"] = text(p.why);
        }
        if (!notes.empty())
            o["notes"] = std::move(notes);
        domains.emplace_back(std::move(o));
    }
    return json::serialize(json::object{{"domains", std::move(domains)}}) + "\n";
}

std::string plan_text(const server& everything)
{
    return fmt::format("everything would go to {}\n", base::escaped(everything.to_string(), 300));
}

std::string plan_json(const server& everything)
{
    return json::serialize(json::object{{"server", text(everything.to_string())}}) + "\n";
}

} // namespace postrider::cli
