// SPDX-License-Identifier: MIT
// dns/message_writer: a message to the octets of RFC 1035 §4, whole record sets or none of them.

#include "dns/message.hpp"
#include "dns/wire.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace postrider::dns {
namespace {

using namespace wire;

constexpr std::size_t opt_octets = 11;
constexpr std::size_t pointer_offset_max = 0x3fff;

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
    const std::size_t room = std::max(std::min<std::size_t>(size_max, 65535), header_octets + opt_size) -
                             opt_size;
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
