// SPDX-License-Identifier: MIT
// dns/message_reader: a message from the octets of RFC 1035 §4, which a stranger sent.

#include "dns/message.hpp"
#include "dns/wire.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace postrider::dns {
namespace {

using namespace wire;

// A pointer is of use only behind a label, and a name has at most 127 of these. More pointers than
// that in one name are there to keep us busy.
constexpr std::size_t pointers_max = 127;

// Pointers let 64 kB of message stand for thousands of names of 127 labels each.
constexpr std::size_t labels_max = 65535;

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
            const std::size_t target = static_cast<std::size_t>(mark & ~pointer_mark) << 8 |
                                       octets_[from + 1];
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
void note_opt(cursor& in, message& m, const name& owner, std::uint16_t size, std::uint32_t flags,
              std::size_t at)
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

} // namespace postrider::dns
