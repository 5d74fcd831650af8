// SPDX-License-Identifier: MIT
// dns/message: the octets of RFC 1035 §4, read with a cursor and written with a table of suffixes.

#include "dns/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace postrider::dns {
namespace {

constexpr std::uint16_t class_in = 1;
constexpr std::size_t header_octets = 12;
constexpr std::size_t opt_octets = 11;
constexpr std::uint8_t pointer_mark = 0xc0;
constexpr std::size_t pointer_offset_max = 0x3fff;

// A pointer is of use only behind a label, and a name has at most 127 of these. More pointers than
// that in one name are there to keep us busy.
constexpr std::size_t pointers_max = 127;

// Pointers let 64 kB of message stand for thousands of names of 127 labels each.
constexpr std::size_t labels_max = 65535;

constexpr std::uint16_t flag_response = 0x8000;
constexpr std::uint16_t flag_authoritative = 0x0400;
constexpr std::uint16_t flag_truncated = 0x0200;
constexpr std::uint16_t flag_recursion_desired = 0x0100;
constexpr std::uint16_t flag_recursion_available = 0x0080;
constexpr std::uint16_t flag_authentic = 0x0020;
constexpr std::uint16_t flag_checking_disabled = 0x0010;
constexpr std::uint32_t edns_flag_dnssec_ok = 0x8000;

/// Takes numbers, names and octets off the front of a message. The first thing that is not there
/// stops it: from then on everything read is zero or empty, and trouble() says why. So a run of
/// reads needs one check, at its end.
class cursor {
public:
    explicit cursor(std::span<const std::uint8_t> octets) : octets_(octets), end_(octets.size()) {}

    bool good() const noexcept { return !trouble_; }
    const std::optional<problem>& trouble() const noexcept { return trouble_; }
    std::size_t at() const noexcept { return at_; }
    std::size_t left() const noexcept { return good() ? end_ - at_ : 0; }

    void fail(std::string what, std::size_t where)
    {
        if (good())
            trouble_ = problem{std::move(what), where};
    }

    std::uint8_t number8()
    {
        if (left() < 1) {
            fail("a DNS message ends too early", at_);
            return 0;
        }
        return octets_[at_++];
    }
    std::uint16_t number16()
    {
        const auto high = number8();
        return static_cast<std::uint16_t>(high << 8 | number8());
    }
    std::uint32_t number32()
    {
        const std::uint32_t high = number16();
        return high << 16 | number16();
    }
    std::span<const std::uint8_t> octets(std::size_t count)
    {
        if (left() < count) {
            fail("a DNS message ends too early", at_);
            return {};
        }
        const auto found = octets_.subspan(at_, count);
        at_ += count;
        return found;
    }

    name domain_name();

    /// Narrows reading to the next `count` octets, until leave().
    void enter(std::size_t count)
    {
        if (left() < count)
            fail("a record is longer than its DNS message", at_);
        else
            end_ = at_ + count;
    }
    /// Widens reading again. What was entered must have been read whole.
    void leave()
    {
        if (left() != 0)
            fail("a record is longer than its data", at_);
        end_ = octets_.size();
    }

private:
    bool take_label(std::size_t& from, std::size_t limit, std::vector<std::string>& labels);

    std::span<const std::uint8_t> octets_;
    std::size_t at_ = 0;
    std::size_t end_;
    std::size_t labels_seen_ = 0;
    std::optional<problem> trouble_;
};

/// Appends the label at `from` and moves behind it; false if it cannot be one.
bool cursor::take_label(std::size_t& from, std::size_t limit, std::vector<std::string>& labels)
{
    const std::size_t length = octets_[from];
    if (length >= 0x40) {
        fail("a name has a label of an unknown kind", from); // 01 and 10 are not in use (RFC 6891 §5)
        return false;
    }
    if (limit - from - 1 < length) {
        fail("a name reaches over the end of its data", from);
        return false;
    }
    if (++labels_seen_ > labels_max) {
        fail("the names of a DNS message have more than 65535 labels together", from);
        return false;
    }
    const auto label = octets_.subspan(from + 1, length);
    labels.emplace_back(label.begin(), label.end());
    from += 1 + length;
    return true;
}

// `from` walks; `at_` stays behind the first pointer, where what follows the name stands. A pointer
// must point before the place where the walk last landed, so that no walk comes round again.
name cursor::domain_name()
{
    std::vector<std::string> labels;
    std::size_t from = at_, landed = at_, limit = end_, pointers = 0, octets = 1;
    const std::size_t start = at_;
    while (good()) {
        if (from >= limit) {
            fail("a name reaches over the end of its data", from);
            break;
        }
        const std::uint8_t mark = octets_[from];
        if (mark == 0) {
            if (pointers == 0)
                at_ = from + 1;
            break;
        }
        if ((mark & pointer_mark) == pointer_mark) {
            if (limit - from < 2) {
                fail("a name reaches over the end of its data", from);
                break;
            }
            const std::size_t target = static_cast<std::size_t>(mark & ~pointer_mark) << 8 | octets_[from + 1];
            if (target >= landed || target < header_octets || ++pointers > pointers_max) {
                fail("a name has a compression pointer that does not point back to a name", from);
                break;
            }
            if (pointers == 1)
                at_ = from + 2;
            limit = from; // what lies before it is all that it may use
            from = landed = target;
            continue;
        }
        octets += 1u + mark;
        if (octets > 255) {
            fail("a domain name is longer than 255 octets", start);
            break;
        }
        if (!take_label(from, limit, labels))
            break;
    }
    if (!good())
        return name{};
    auto made = name::from_labels(std::move(labels));
    if (!made) {
        fail(made.problem().what, start);
        return name{};
    }
    return *std::move(made);
}

template <std::size_t Size>
std::array<std::uint8_t, Size> read_array(cursor& in)
{
    std::array<std::uint8_t, Size> found{};
    const auto octets = in.octets(Size);
    std::copy(octets.begin(), octets.end(), found.begin());
    return found;
}

std::vector<std::uint8_t> read_rest(cursor& in)
{
    const auto octets = in.octets(in.left());
    return {octets.begin(), octets.end()};
}

txt_data read_txt(cursor& in)
{
    txt_data found;
    do {
        const auto octets = in.octets(in.number8());
        found.strings.emplace_back(octets.begin(), octets.end());
    } while (in.left() > 0);
    return found;
}

mx_data read_mx(cursor& in)
{
    const auto preference = in.number16();
    return {preference, in.domain_name()};
}

tlsa_data read_tlsa(cursor& in)
{
    tlsa_data found{};
    found.usage = in.number8();
    found.selector = in.number8();
    found.matching = in.number8();
    found.association = read_rest(in);
    return found;
}

soa_data read_soa(cursor& in)
{
    soa_data found{};
    found.primary = in.domain_name();
    found.mailbox = in.domain_name();
    for (auto* number : {&found.serial, &found.refresh, &found.retry, &found.expire, &found.minimum})
        *number = in.number32();
    return found;
}

record_data read_data(cursor& in, type kind)
{
    switch (kind) {
    case type::a: return a_data{read_array<4>(in)};
    case type::aaaa: return aaaa_data{read_array<16>(in)};
    case type::cname: return cname_data{in.domain_name()};
    case type::ns: return ns_data{in.domain_name()};
    case type::ptr: return ptr_data{in.domain_name()};
    case type::mx: return read_mx(in);
    case type::txt: return read_txt(in);
    case type::tlsa: return read_tlsa(in);
    case type::soa: return read_soa(in);
    case type::opt:
    case type::any: break;
    }
    return unknown_data{read_rest(in)};
}

void read_flags(message& m, std::uint16_t flags)
{
    m.response = flags & flag_response;
    m.opcode = flags >> 11 & 0xf;
    m.authoritative = flags & flag_authoritative;
    m.truncated = flags & flag_truncated;
    m.recursion_desired = flags & flag_recursion_desired;
    m.recursion_available = flags & flag_recursion_available;
    m.authentic = flags & flag_authentic;
    m.checking_disabled = flags & flag_checking_disabled;
    m.code = static_cast<rcode>(flags & 0xf);
}

void read_question(cursor& in, message& m)
{
    auto owner = in.domain_name();
    const auto kind = static_cast<type>(in.number16());
    const std::size_t class_at = in.at();
    if (in.number16() != class_in)
        in.fail("a question is not of class IN", class_at);
    m.questions.push_back(question{std::move(owner), kind});
}

/// What else the owner, class and TTL of an OPT record are used for (RFC 6891 §6.1.2).
void note_opt(cursor& in, message& m, const name& owner, std::uint16_t size, std::uint32_t flags, std::size_t at)
{
    if (m.edns_size || !owner.is_root()) {
        in.fail("an OPT record that is not the only one, or not the root's", at);
        return;
    }
    m.edns_size = size;
    m.code = static_cast<rcode>(flags >> 24 << 4 | static_cast<unsigned>(m.code));
    m.edns_version = static_cast<std::uint8_t>(flags >> 16 & 0xff);
    m.dnssec_ok = flags & edns_flag_dnssec_ok;
}

void read_record(cursor& in, message& m, std::vector<record>& section)
{
    const std::size_t start = in.at();
    auto owner = in.domain_name();
    const auto kind = static_cast<type>(in.number16());
    const auto clas = in.number16();
    const auto ttl = in.number32();
    in.enter(in.number16());
    if (kind == type::opt) {
        if (&section != &m.additionals)
            in.fail("an OPT record outside the additional section", start);
        note_opt(in, m, owner, clas, ttl, start);
        in.octets(in.left());
    } else if (clas != class_in) {
        in.octets(in.left()); // its data may mean something else than ours of the same type
    } else {
        auto data = read_data(in, kind);
        section.push_back(record{std::move(owner), kind, ttl > 0x7fffffff ? 0 : ttl, std::move(data)});
    }
    in.leave();
}

} // namespace

result<message> parse_message(std::span<const std::uint8_t> octets)
{
    cursor in(octets);
    message m;
    m.id = in.number16();
    read_flags(m, in.number16());
    std::array<std::uint16_t, 4> counts{};
    for (auto& count : counts)
        count = in.number16();

    for (std::size_t i = 0; i < counts[0] && in.good(); ++i)
        read_question(in, m);
    std::size_t section = 1;
    for (auto* records : {&m.answers, &m.authorities, &m.additionals}) {
        for (std::size_t i = 0; i < counts[section] && in.good(); ++i)
            read_record(in, m, *records);
        ++section;
    }
    if (in.left() != 0)
        in.fail("a DNS message goes on behind its last record", in.at());
    if (!in.good())
        return *in.trouble();
    return m;
}

namespace {

/// Appends to a message, and remembers where each name stands, for later pointers to it.
class writer {
public:
    std::vector<std::uint8_t> octets;

    void number8(std::uint8_t n) { octets.push_back(n); }
    void number16(std::size_t n)
    {
        number8(static_cast<std::uint8_t>(n >> 8 & 0xff));
        number8(static_cast<std::uint8_t>(n & 0xff));
    }
    void number32(std::uint32_t n)
    {
        number16(n >> 16);
        number16(n & 0xffff);
    }
    template <class Range>
    void append(const Range& range)
    {
        octets.insert(octets.end(), range.begin(), range.end());
    }
    void patch16(std::size_t at, std::size_t n)
    {
        octets[at] = static_cast<std::uint8_t>(n >> 8 & 0xff);
        octets[at + 1] = static_cast<std::uint8_t>(n & 0xff);
    }

    // Octet for octet, not without case: a name must come out as it went in, for the resolvers that
    // tell answers meant for them by the case of their question.
    void domain_name(const name& n)
    {
        for (std::size_t i = 0; i < n.labels().size(); ++i) {
            const auto suffix = wire_form(n, i);
            const auto known = offsets_.find(suffix);
            if (known != offsets_.end()) {
                number16(static_cast<std::size_t>(pointer_mark) << 8 | known->second);
                return;
            }
            if (octets.size() <= pointer_offset_max)
                offsets_.emplace(suffix, octets.size());
            number8(static_cast<std::uint8_t>(n.labels()[i].size()));
            append(n.labels()[i]);
        }
        number8(0);
    }

    /// Takes back what was written behind `size`.
    void cut(std::size_t size)
    {
        octets.resize(size);
        std::erase_if(offsets_, [size](const auto& entry) { return entry.second >= size; });
    }

private:
    static std::string wire_form(const name& n, std::size_t first)
    {
        std::string form;
        for (std::size_t i = first; i < n.labels().size(); ++i) {
            form += static_cast<char>(n.labels()[i].size());
            form += n.labels()[i];
        }
        return form;
    }

    std::map<std::string, std::size_t, std::less<>> offsets_;
};

/// Writes the data of a record. Only the types of RFC 1035 may have their names compressed
/// (RFC 3597 §4), and these are the only ones here that hold names.
struct data_writer {
    writer& out;

    void operator()(const a_data& d) const { out.append(d.octets); }
    void operator()(const aaaa_data& d) const { out.append(d.octets); }
    void operator()(const cname_data& d) const { out.domain_name(d.target); }
    void operator()(const ns_data& d) const { out.domain_name(d.host); }
    void operator()(const ptr_data& d) const { out.domain_name(d.target); }
    void operator()(const mx_data& d) const
    {
        out.number16(d.preference);
        out.domain_name(d.exchanger);
    }
    void operator()(const txt_data& d) const
    {
        if (d.strings.empty())
            out.number8(0); // a TXT record without any string could not be read back
        for (const auto& text : d.strings) {
            assert(text.size() <= 255);
            const auto fitting = std::string_view(text).substr(0, 255);
            out.number8(static_cast<std::uint8_t>(fitting.size()));
            out.append(fitting);
        }
    }
    void operator()(const tlsa_data& d) const
    {
        for (const auto octet : {d.usage, d.selector, d.matching})
            out.number8(octet);
        out.append(d.association);
    }
    void operator()(const soa_data& d) const
    {
        out.domain_name(d.primary);
        out.domain_name(d.mailbox);
        for (const auto number : {d.serial, d.refresh, d.retry, d.expire, d.minimum})
            out.number32(number);
    }
    void operator()(const unknown_data& d) const { out.append(d.octets); }
};

void write_record(writer& out, const record& r)
{
    out.domain_name(r.owner);
    out.number16(static_cast<std::uint16_t>(r.kind));
    out.number16(class_in);
    out.number32(r.ttl);
    const std::size_t length_at = out.octets.size();
    out.number16(0);
    std::visit(data_writer{out}, r.data);
    // Too long a record for its length field is too long for the message as well, and is cut.
    out.patch16(length_at, out.octets.size() - length_at - 2);
}

std::size_t end_of_set(const std::vector<record>& section, std::size_t first)
{
    std::size_t end = first + 1;
    while (end < section.size() && section[end].kind == section[first].kind &&
           section[end].owner == section[first].owner)
        ++end;
    return end;
}

/// Writes record sets while they fit into `size_max`; returns the number of records written.
std::size_t write_section(writer& out, const std::vector<record>& section, std::size_t size_max)
{
    std::size_t done = 0;
    while (done < section.size()) {
        const std::size_t before = out.octets.size(), end = end_of_set(section, done);
        for (std::size_t i = done; i < end; ++i) {
            write_record(out, section[i]);
            if (out.octets.size() > size_max) {
                out.cut(before);
                return done;
            }
        }
        done = end;
    }
    return done;
}

std::size_t write_questions(writer& out, const std::vector<question>& questions, std::size_t size_max)
{
    std::size_t done = 0;
    for (const auto& q : questions) {
        const std::size_t before = out.octets.size();
        out.domain_name(q.owner);
        out.number16(static_cast<std::uint16_t>(q.kind));
        out.number16(class_in);
        if (out.octets.size() > size_max) {
            out.cut(before);
            break;
        }
        ++done;
    }
    return done;
}

void write_opt(writer& out, const message& m, unsigned code)
{
    out.number8(0);
    out.number16(static_cast<std::uint16_t>(type::opt));
    out.number16(*m.edns_size);
    out.number8(static_cast<std::uint8_t>(code >> 4 & 0xff));
    out.number8(m.edns_version);
    out.number16(m.dnssec_ok ? edns_flag_dnssec_ok : 0);
    out.number16(0);
}

std::size_t flags_of(const message& m, bool truncated, unsigned code)
{
    std::size_t flags = static_cast<std::size_t>(m.opcode & 0xf) << 11 | (code & 0xf);
    const auto set = [&flags](bool on, std::uint16_t flag) {
        if (on)
            flags |= flag;
    };
    set(m.response, flag_response);
    set(m.authoritative, flag_authoritative);
    set(truncated, flag_truncated);
    set(m.recursion_desired, flag_recursion_desired);
    set(m.recursion_available, flag_recursion_available);
    set(m.authentic, flag_authentic);
    set(m.checking_disabled, flag_checking_disabled);
    return flags;
}

} // namespace

std::vector<std::uint8_t> serialize(const message& m, std::size_t size_max)
{
    const std::size_t opt_size = m.edns_size ? opt_octets : 0;
    const std::size_t room = std::max(std::min<std::size_t>(size_max, 65535), header_octets + opt_size) - opt_size;
    auto code = static_cast<unsigned>(m.code);
    if (code > 0xf && !m.edns_size)
        code = static_cast<unsigned>(rcode::server_failure);

    writer out;
    out.octets.resize(header_octets);
    std::array<std::size_t, 4> counts{};
    counts[0] = write_questions(out, m.questions, room);
    bool whole = counts[0] == m.questions.size();
    if (whole) {
        counts[1] = write_section(out, m.answers, room);
        whole = counts[1] == m.answers.size();
    }
    if (whole) {
        counts[2] = write_section(out, m.authorities, room);
        whole = counts[2] == m.authorities.size();
    }
    if (whole)
        counts[3] = write_section(out, m.additionals, room);
    if (m.edns_size) {
        write_opt(out, m, code);
        ++counts[3];
    }

    out.patch16(0, m.id);
    out.patch16(2, flags_of(m, m.truncated || !whole, code));
    for (std::size_t i = 0; i < counts.size(); ++i)
        out.patch16(4 + 2 * i, counts[i]);
    return std::move(out.octets);
}

} // namespace postrider::dns
