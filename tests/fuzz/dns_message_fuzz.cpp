// SPDX-License-Identifier: MIT
// fuzz/dns_message (dns): no octets can harm the reader, and what was read is written to be read again.
//
// Any octets are parsed; what could be parsed is serialized and parsed again, and must be the same.
// Pointers into places that are no names cannot be written a second time, so a message that is built
// of them may outgrow 65535 octets: only then may something be missing.
// Serialized for UDP it must fit and be readable, with nothing in it that was not there before.

#include "dns/message.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

namespace dns = postrider::dns;

void expect(bool holds)
{
    if (!holds)
        std::abort();
}

/// No less than the octets of these records when nothing can be compressed: alone, a record's own
/// names may still be compressed against each other, and none has more than three.
std::size_t octets_at_most(const std::vector<dns::record>& section)
{
    std::size_t sum = 0;
    for (const auto& r : section) {
        dns::message alone;
        alone.answers.push_back(r);
        sum += 3 * dns::serialize(alone).size();
    }
    return sum;
}

void check_whole(const dns::message& read)
{
    const auto again = dns::parse_message(dns::serialize(read));
    expect(again.has_value());
    const std::size_t bound = octets_at_most(read.answers) + octets_at_most(read.authorities) +
                              octets_at_most(read.additionals) + 260 * read.questions.size() + 23;
    if (bound <= 65535)
        expect(*again == read);
}

void check_small(const dns::message& read)
{
    const auto octets = dns::serialize(read, 512);
    expect(octets.size() <= 512);
    const auto again = dns::parse_message(octets);
    expect(again.has_value());
    expect(again->answers.size() <= read.answers.size());
    const bool all = again->answers == read.answers && again->authorities == read.authorities &&
                     again->questions == read.questions;
    expect(all || again->truncated);
}

void check_texts(const dns::message& read)
{
    for (const auto& r : read.answers) {
        const auto named = dns::name::parse(r.owner.to_string());
        expect(named.has_value() && *named == r.owner);
        if (const auto* v6 = std::get_if<dns::aaaa_data>(&r.data)) {
            const auto address = dns::parse_aaaa(dns::to_string(*v6));
            expect(address.has_value() && *address == *v6);
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto read = dns::parse_message(std::span(data, size));
    if (!read)
        return 0;
    check_whole(*read);
    check_small(*read);
    check_texts(*read);
    return 0;
}
