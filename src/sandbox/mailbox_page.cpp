// SPDX-License-Identifier: MIT
// sandbox/mailbox_page: the mailbox for a browser and for scripts: the page's files and a JSON API.

#include "sandbox/mailbox_page.hpp"

#include "base/text.hpp"
#include "sandbox/encoded_text.hpp"
#include "sandbox/message_text.hpp"
#include "sandbox/page_asset.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace postrider::sandbox {

namespace json = boost::json;

namespace {

constexpr std::string_view messages_path = "/api/messages";
constexpr std::size_t listed_default = 200, listed_max = 1000;
constexpr std::size_t listed_text_octets_max = 300; // of one subject or sender in the list
constexpr std::size_t recipients_max = 200;
constexpr std::size_t recipients_listed_max = 5;
constexpr std::size_t envelope_text_octets_max = 4096;
constexpr std::size_t conversation_lines_max = 2000;
constexpr std::size_t conversation_line_octets_max = 2000;

// Well-formed UTF-8 of at most `limit` octets, with "…" where something was left out.
std::string bounded(std::string_view octets, std::size_t limit)
{
    if (octets.size() <= limit)
        return valid_utf8(octets);
    auto end = limit;
    while (end > 0 && (octets[end] & 0xc0) == 0x80)
        --end;
    return valid_utf8(octets.substr(0, end)) + "…";
}

std::string rfc3339(std::chrono::system_clock::time_point when)
{
    using namespace std::chrono;
    const auto seconds = floor<std::chrono::seconds>(when);
    const auto rest = duration_cast<milliseconds>(when - seconds).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(system_clock::to_time_t(seconds)), rest);
}

page_answer in_json(const json::object& value)
{
    auto text = std::make_shared<const std::string>(json::serialize(value));
    page_answer answer;
    answer.body = *text;
    answer.owner = std::move(text);
    return answer;
}

page_answer no_content()
{
    page_answer answer;
    answer.status = 204;
    answer.type.clear();
    return answer;
}

page_answer wrong_method(std::string_view allowed)
{
    auto answer = failed(405, fmt::format("this address understands {}", allowed));
    answer.allow = allowed;
    return answer;
}

page_answer no_such_message()
{
    return failed(404, "there is no such message: it was removed, or it never was");
}

json::array texts(const std::vector<std::string>& from, std::size_t count_max)
{
    json::array out;
    for (const auto& text : from) {
        if (out.size() == count_max)
            break;
        out.emplace_back(bounded(text, envelope_text_octets_max));
    }
    return out;
}

// What the list and the message have in common.
json::object summary(const captured_message& message, const message_text& shown, std::size_t to_max)
{
    const auto from = shown.field("from");
    json::object out;
    out["id"] = message.id;
    out["received"] = rfc3339(message.received);
    out["exchanger"] = bounded(message.exchanger, listed_text_octets_max);
    out["reverse_path"] = bounded(message.reverse_path, listed_text_octets_max);
    out["forward_paths"] = texts(message.forward_paths, to_max);
    out["recipients"] = message.forward_paths.size();
    out["from"] = bounded(from.empty() ? message.reverse_path : from, listed_text_octets_max);
    out["subject"] = bounded(shown.field("subject"), listed_text_octets_max);
    out["size"] = message.content.size();
    return out;
}

json::object listed(const captured_message& message)
{
    reading_limits limits;
    limits.fields_max = 100;
    limits.field_octets_max = 2048;
    limits.header_octets_max = 32 * 1024;
    return summary(message, read_header(message.content, limits), recipients_listed_max);
}

json::array fields_of(const message_text& shown)
{
    json::array out;
    for (const auto& field : shown.fields) {
        json::object one;
        one["name"] = field.name;
        one["value"] = field.value;
        out.emplace_back(std::move(one));
    }
    return out;
}

json::array parts_of(const message_text& shown)
{
    json::array out;
    for (const auto& part : shown.parts) {
        json::object one;
        one["type"] = bounded(part.type, listed_text_octets_max);
        one["name"] = bounded(part.name, listed_text_octets_max);
        one["size"] = part.octets;
        out.emplace_back(std::move(one));
    }
    return out;
}

json::array conversation_of(const captured_message& message)
{
    json::array out;
    for (const auto& line : message.conversation) {
        if (out.size() == conversation_lines_max)
            break;
        json::object one;
        one["who"] = valid_utf8(std::string_view(&line.who, 1));
        one["text"] = bounded(line.text, conversation_line_octets_max);
        out.emplace_back(std::move(one));
    }
    return out;
}

page_answer whole(const captured_message& message)
{
    const auto shown = read_message(message.content);
    auto out = summary(message, shown, recipients_max);
    out["client"] = bounded(message.client, envelope_text_octets_max);
    out["hello"] = bounded(message.hello, envelope_text_octets_max);
    out["parameters"] = texts(message.parameters, recipients_max);
    out["headers"] = fields_of(shown);
    out["headers_cut"] = shown.fields_cut;
    out["text"] = shown.text;
    out["text_type"] = shown.text_type;
    out["text_cut"] = shown.text_cut;
    out["parts"] = parts_of(shown);
    out["parts_cut"] = shown.parts_cut;
    out["conversation"] = conversation_of(message);
    out["conversation_cut"] = message.conversation.size() > conversation_lines_max;
    return in_json(out);
}

page_answer source_of(std::shared_ptr<const captured_message> message)
{
    page_answer answer;
    answer.type = "text/plain"; // not message/rfc822: a browser must never interpret it
    answer.file_name = fmt::format("message-{}.eml", message->id);
    answer.body = message->content;
    answer.owner = std::move(message);
    return answer;
}

page_answer asset(std::string_view method, std::string_view path)
{
    const auto assets = page_assets();
    const auto found =
        std::find_if(assets.begin(), assets.end(), [&](const auto& a) { return a.path == path; });
    if (found == assets.end())
        return failed(404, "there is nothing at this address");
    if (method != "GET")
        return wrong_method("GET");
    page_answer answer;
    answer.type = found->type;
    answer.body = found->content;
    return answer;
}

std::string query_value(std::string_view query, std::string_view name)
{
    while (!query.empty()) {
        const auto pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        const auto equals = pair.find('=');
        if (equals != pair.npos && pair.substr(0, equals) == name)
            return decode_percent(pair.substr(equals + 1), true);
    }
    return {};
}

std::optional<std::uint64_t> number(std::string_view text) noexcept
{
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end)
        return std::nullopt;
    return value;
}

} // namespace

page_answer failed(unsigned status, std::string_view sentence)
{
    json::object out;
    out["error"] = sentence;
    auto answer = in_json(out);
    answer.status = status;
    return answer;
}

mailbox_page::mailbox_page(mailbox& box, std::string about_json)
    : box_(box), about_(std::make_shared<const std::string>(std::move(about_json)))
{
}

page_answer mailbox_page::answer(std::string_view method, std::string_view target)
{
    const auto path = target.substr(0, target.find('?'));
    const auto query = target.substr(std::min(target.size(), path.size() + 1));
    if (path == messages_path)
        return answer_messages(method, query);
    if (path.starts_with(messages_path) && path[messages_path.size()] == '/')
        return answer_message(method, path.substr(messages_path.size() + 1));

    const bool events = path == "/api/events";
    if (!events && path != "/api/sandbox")
        return asset(method, path);
    if (method != "GET")
        return wrong_method("GET");
    page_answer answer;
    answer.live = events;
    if (!events) {
        answer.body = *about_;
        answer.owner = about_;
    }
    return answer;
}

page_answer mailbox_page::answer_messages(std::string_view method, std::string_view query)
{
    if (method == "DELETE") {
        box_.clear();
        return no_content();
    }
    if (method != "GET")
        return wrong_method("GET, DELETE");

    const auto limit_text = query_value(query, "limit");
    const auto limit = limit_text.empty() ? listed_default : number(limit_text);
    if (!limit)
        return failed(400, "\"limit\" must be a number");
    const auto words = query_value(query, "q");
    const auto found = box_.search(words, std::min<std::uint64_t>(*limit, listed_max));
    json::array messages;
    for (const auto& message : found)
        messages.emplace_back(listed(*message));
    json::object out;
    out["count"] = box_.size();
    out["messages"] = std::move(messages);
    return in_json(out);
}

page_answer mailbox_page::answer_message(std::string_view method, std::string_view rest)
{
    const auto id = number(rest.substr(0, rest.find('/')));
    const auto part = rest.substr(std::min(rest.size(), rest.find('/')));
    if (!id || (!part.empty() && part != "/source"))
        return failed(404, "there is nothing at this address");
    if (method == "DELETE" && part.empty())
        return box_.erase(*id) ? no_content() : no_such_message();
    if (method != "GET")
        return wrong_method(part.empty() ? "GET, DELETE" : "GET");
    auto message = box_.find(*id);
    if (!message)
        return no_such_message();
    return part.empty() ? whole(*message) : source_of(std::move(message));
}

} // namespace postrider::sandbox
