// SPDX-License-Identifier: MIT
// sandbox/message_text: what a person would read of a message: its fields, its text, its parts.

#include "sandbox/message_text.hpp"

#include "base/text.hpp"
#include "sandbox/encoded_text.hpp"

#include <algorithm>
#include <optional>

namespace postrider::sandbox {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::size_t boundary_octets_max = 200; // RFC 2046 §5.1.1 says 70

// One line of the content; `next` is where the following one begins.
struct line {
    std::string_view text; // without its line end
    std::size_t next = 0;
};

line line_at(std::string_view content, std::size_t at) noexcept
{
    const auto feed = content.find('\n', at);
    auto text = content.substr(at, feed == npos ? npos : feed - at);
    if (text.ends_with('\r'))
        text.remove_suffix(1);
    return {text, feed == npos ? content.size() : feed + 1};
}

// Names are printable ASCII without a colon (RFC 5322 §2.2); blanks before the colon are obsolete.
std::optional<std::string_view> field_name(std::string_view text) noexcept
{
    const auto colon = text.find(':');
    if (colon == npos)
        return std::nullopt;
    const auto name = base::trim(text.substr(0, colon));
    const bool sound = std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (name.empty() || !sound || base::trim(text.substr(0, 1)).empty())
        return std::nullopt;
    return name;
}

// The value of `name` among the parameters of a structured field, as in `text/plain; charset=x`.
std::string parameter(std::string_view value, std::string_view name)
{
    auto at = value.find(';');
    while (at != npos) {
        const auto name_begin = at + 1;
        const auto name_end = value.find_first_of("=;", name_begin);
        if (name_end == npos)
            return {};
        if (value[name_end] == ';') {
            at = name_end;
            continue;
        }
        std::string found;
        auto i = value.find_first_not_of(" \t", name_end + 1);
        if (i != npos && value[i] == '"') {
            for (++i; i < value.size() && value[i] != '"'; ++i) {
                if (value[i] == '\\' && i + 1 < value.size())
                    ++i;
                found += value[i];
            }
            at = i < value.size() ? value.find(';', i) : npos;
        } else {
            at = value.find(';', name_end);
            found = base::trim(value.substr(name_end + 1, at == npos ? npos : at - name_end - 1));
        }
        if (base::equal_ignoring_case(base::trim(value.substr(name_begin, name_end - name_begin)), name))
            return found;
    }
    return {};
}

// A file name in the form of RFC 2231 §4: charset'language'percent-encoded.
std::string extended_value(std::string_view value)
{
    const auto first = value.find('\'');
    const auto second = first == npos ? npos : value.find('\'', first + 1);
    if (second == npos)
        return valid_utf8(value);
    return to_utf8(decode_percent(value.substr(second + 1), false), value.substr(0, first));
}

std::string file_name(std::string_view disposition, std::string_view type)
{
    const auto extended = parameter(disposition, "filename*");
    if (!extended.empty())
        return extended_value(extended);
    const auto plain = parameter(disposition, "filename");
    return decode_words(plain.empty() ? parameter(type, "name") : plain);
}

std::string with_line_feeds(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n')
            out += text[i];
    return out;
}

// A limit may have cut the last character in two; what is left of it is no garbage of the sender's.
void drop_cut_character(std::string& octets)
{
    std::size_t tail = 0;
    while (tail < 3 && tail < octets.size() && (octets[octets.size() - 1 - tail] & 0xc0) == 0x80)
        ++tail;
    if (tail < octets.size() && (octets[octets.size() - 1 - tail] & 0xc0) == 0xc0)
        ++tail;
    const auto last = std::string_view(octets).substr(octets.size() - tail);
    if (tail > 0 && !base::is_utf8(last))
        octets.resize(octets.size() - tail);
}

// Walks a message from its first octet to its last. A delimiter line of any multipart that is open
// ends what is inside it, whatever that is, so an inner part that lacks its end cannot swallow the
// rest (RFC 2046 §5.1.2), and no octet is looked at more than once for each open multipart.
class reader {
public:
    reader(std::string_view content, const reading_limits& limits) : content_(content), limits_(limits) {}

    message_text header() &&
    {
        read_fields(0, found_.fields, limits_.fields_max);
        return std::move(found_);
    }

    message_text message() &&
    {
        entity(0);
        settle_text();
        return std::move(found_);
    }

private:
    static constexpr std::size_t nothing = npos;

    // Where a part ends: a delimiter line of the multipart that stands at `level` in boundaries_,
    // or the end of the content, where level is `nothing`.
    struct delimiter {
        std::size_t at = 0;    // the end of the part before it
        std::size_t after = 0; // the beginning of the next line
        std::size_t level = nothing;
        bool closing = false;
    };

    struct leaf {
        std::string type, charset, encoding;
        std::string_view body;
    };

    // Level and kind of a delimiter line; innermost boundaries first.
    std::optional<delimiter> as_delimiter(std::string_view text) const
    {
        if (!text.starts_with("--"))
            return std::nullopt;
        text.remove_prefix(2);
        for (std::size_t level = boundaries_.size(); level-- > 0;) {
            if (!text.starts_with(boundaries_[level]))
                continue;
            auto rest = text.substr(boundaries_[level].size());
            delimiter found;
            found.level = level;
            found.closing = rest.starts_with("--");
            if (found.closing)
                rest.remove_prefix(2);
            if (base::trim(rest).empty())
                return found;
        }
        return std::nullopt;
    }

    // The first delimiter line that begins at or after `begin`, which is the beginning of a line.
    delimiter next_delimiter(std::size_t begin) const
    {
        delimiter end;
        end.at = end.after = content_.size();
        if (boundaries_.empty())
            return end;
        for (auto at = begin; at < content_.size();) {
            const auto here = line_at(content_, at);
            if (auto found = as_delimiter(here.text)) {
                found->at = end_of_line_before(at, begin);
                found->after = here.next;
                return *found;
            }
            const auto feed = content_.find("\n--", here.next - 1);
            at = feed == npos ? content_.size() : feed + 1;
        }
        return end;
    }

    // The line end in front of a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
    std::size_t end_of_line_before(std::size_t at, std::size_t begin) const noexcept
    {
        if (at > begin && content_[at - 1] == '\n')
            --at;
        if (at > begin && content_[at - 1] == '\r')
            --at;
        return at;
    }

    // Reads fields from `at` on; returns where the body begins. A line that is neither field nor
    // continuation ends the header and begins the body, so that text sent without one is shown.
    std::size_t read_fields(std::size_t at, std::vector<header_field>& fields, std::size_t fields_max)
    {
        const auto begin = at;
        std::string name, value;
        const auto keep = [&] {
            if (!name.empty() && fields.size() < fields_max)
                fields.push_back({std::move(name), decode_words(base::trim(value))});
            else if (!name.empty())
                found_.fields_cut = true;
            name.clear();
            value.clear();
        };
        while (at < content_.size()) {
            const auto here = line_at(content_, at);
            if (here.text.empty()) {
                at = here.next;
                break;
            }
            if (as_delimiter(here.text))
                break;
            const bool continuation = here.text.front() == ' ' || here.text.front() == '\t';
            const auto next_name = continuation ? std::nullopt : field_name(here.text);
            if (!next_name && !(continuation && !name.empty()))
                break;
            if (next_name) {
                keep();
                name = *next_name;
                append_bounded(value, here.text.substr(here.text.find(':') + 1));
            } else {
                append_bounded(value, here.text);
            }
            at = here.next;
            if (at - begin > limits_.header_octets_max) {
                at = skip_header(at);
                found_.fields_cut = true;
                break;
            }
        }
        keep();
        return at;
    }

    void append_bounded(std::string& value, std::string_view text)
    {
        const auto room = limits_.field_octets_max - std::min(limits_.field_octets_max, value.size());
        value += text.substr(0, room);
        if (text.size() > room)
            found_.fields_cut = true;
    }

    std::size_t skip_header(std::size_t at) const
    {
        while (at < content_.size()) {
            const auto here = line_at(content_, at);
            if (as_delimiter(here.text))
                return at;
            at = here.next;
            if (here.text.empty())
                return at;
        }
        return at;
    }

    // Reads one entity, with all it holds; returns the delimiter that ended it.
    delimiter entity(std::size_t at)
    {
        message_text part;
        const bool outermost = boundaries_.empty();
        const auto body = read_fields(at, outermost ? found_.fields : part.fields, limits_.fields_max);
        const auto& own = outermost ? found_ : part;
        const auto type_value = own.field("content-type");
        const auto type = media_type(type_value);
        const auto boundary = parameter(type_value, "boundary");
        const bool walkable = !boundary.empty() && boundary.size() <= boundary_octets_max &&
                              boundaries_.size() < limits_.depth_max;
        if (type.starts_with("multipart/") && walkable)
            return multipart(body, boundary);

        const auto end = next_delimiter(body);
        const auto disposition = own.field("content-disposition");
        leaf found;
        found.type = type.starts_with("multipart/") ? "text/plain" : type;
        found.charset = parameter(type_value, "charset");
        found.encoding = base::lower(base::trim(own.field("content-transfer-encoding")));
        found.body = between(body, end);
        take(std::move(found), file_name(disposition, type_value), media_type(disposition) == "attachment");
        return end;
    }

    delimiter multipart(std::size_t body, const std::string& boundary)
    {
        const auto level = boundaries_.size();
        boundaries_.push_back(boundary);
        auto end = next_delimiter(body); // the preamble is for readers without MIME
        if (end.level != level)
            take({"text/plain", {}, {}, between(body, end)}, {}, false); // of no parts, so no multipart
        while (end.level == level && !end.closing) {
            if (found_.parts.size() < limits_.parts_max) {
                end = entity(end.after);
            } else {
                found_.parts_cut = true;
                end = next_delimiter(end.after);
            }
        }
        boundaries_.pop_back();
        return end.level == level ? next_delimiter(end.after) : end; // and so is the epilogue
    }

    std::string_view between(std::size_t body, const delimiter& end) const noexcept
    {
        return content_.substr(body, std::max(body, end.at) - body);
    }

    static std::string media_type(std::string_view value)
    {
        const auto type = base::lower(base::trim(value.substr(0, value.find(';'))));
        return type.empty() ? "text/plain" : type;
    }

    void take(leaf found, std::string name, bool attached)
    {
        message_part part;
        part.type = found.type;
        part.name = std::move(name);
        part.octets = found.body.size();
        found_.parts.push_back(std::move(part));
        if (attached)
            return;
        if (found.type == "text/plain" && !plain_)
            plain_ = std::move(found);
        else if (found.type == "text/html" && !html_)
            html_ = std::move(found);
    }

    // Plain text if there is any, else the source of the HTML.
    void settle_text()
    {
        const auto& chosen = plain_ ? plain_ : html_;
        if (!chosen)
            return;
        auto octets = decoded(*chosen, limits_.text_octets_max + 1);
        found_.text_cut = octets.size() > limits_.text_octets_max;
        octets.resize(std::min(octets.size(), limits_.text_octets_max));
        if (found_.text_cut && base::has_eight_bit(octets))
            drop_cut_character(octets);
        found_.text = with_line_feeds(to_utf8(octets, chosen->charset));
        found_.text_type = chosen->type;
    }

    static std::string decoded(const leaf& chosen, std::size_t limit)
    {
        if (chosen.encoding == "quoted-printable")
            return decode_quoted_printable(chosen.body, limit);
        if (chosen.encoding == "base64")
            return decode_base64(chosen.body, limit);
        return std::string(chosen.body.substr(0, limit));
    }

    std::string_view content_;
    const reading_limits& limits_;
    std::vector<std::string> boundaries_; // of the multiparts that are open, outermost first
    std::optional<leaf> plain_, html_;
    message_text found_;
};

} // namespace

std::string_view message_text::field(std::string_view name) const noexcept
{
    for (const auto& field : fields)
        if (base::equal_ignoring_case(field.name, name))
            return field.value;
    return {};
}

message_text read_message(std::string_view content, const reading_limits& limits)
{
    return reader(content, limits).message();
}

message_text read_header(std::string_view content, const reading_limits& limits)
{
    return reader(content, limits).header();
}

} // namespace postrider::sandbox
