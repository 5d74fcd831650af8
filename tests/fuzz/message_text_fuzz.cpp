// SPDX-License-Identifier: MIT
// fuzz/message_text (sandbox): any octets are read as a message within the limits, and come out as UTF-8
//
// The input is read whole, with small limits, and its header alone: what is shown is well-formed,
// bounded, and the header is the same either way.

#include "base/text.hpp"
#include "sandbox/message_text.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace postrider;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

void check(const sandbox::message_text& found, const sandbox::reading_limits& limits,
           std::size_t content_octets)
{
    require(found.fields.size() <= limits.fields_max);
    for (const auto& field : found.fields) {
        require(!field.name.empty() && base::is_utf8(field.name) && base::is_utf8(field.value));
        require(field.value.size() <= 3 * limits.field_octets_max); // an octet may become U+FFFD
    }
    require(base::is_utf8(found.text) && found.text.size() <= 3 * limits.text_octets_max);
    require(!found.text_type.empty() || found.text.empty());
    require(found.parts.size() <= limits.parts_max);
    std::size_t octets = 0;
    for (const auto& part : found.parts) {
        require(base::is_utf8(part.type) && base::is_utf8(part.name));
        octets += part.octets;
    }
    require(octets <= content_octets); // no octet belongs to two parts
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view content(reinterpret_cast<const char*>(data), size);
    const sandbox::reading_limits usual;
    const auto whole = sandbox::read_message(content, usual);
    check(whole, usual, size);

    const auto header = sandbox::read_header(content, usual);
    require(header.fields.size() == whole.fields.size());
    for (std::size_t i = 0; i < header.fields.size(); ++i)
        require(header.fields[i].name == whole.fields[i].name &&
                header.fields[i].value == whole.fields[i].value);

    sandbox::reading_limits small;
    small.fields_max = 3;
    small.field_octets_max = 20;
    small.header_octets_max = 100;
    small.text_octets_max = 10;
    small.parts_max = 2;
    small.depth_max = 2;
    check(sandbox::read_message(content, small), small, size);
    return 0;
}
