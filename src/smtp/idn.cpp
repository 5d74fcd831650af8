// SPDX-License-Identifier: MIT
// smtp/idn: internationalised labels of a domain, to the form that DNS holds (RFC 5890, RFC 5891).

#include "smtp/idn.hpp"

#include "base/text.hpp"

#include <idn2.h>

#include <cstdint>
#include <memory>
#include <new>

namespace postrider::smtp {

namespace {

struct idn2_deleter {
    void operator()(void* text) const noexcept { idn2_free(text); }
};

problem problem_of(int error)
{
    switch (error) {
    case IDN2_MALLOC: throw std::bad_alloc();
    case IDN2_DISALLOWED: return {"it holds a character that IDNA 2008 does not allow"};
    case IDN2_UNASSIGNED: return {"it holds a character that Unicode has not assigned"};
    case IDN2_2HYPHEN: return {"hyphens in the third and fourth place are reserved"};
    case IDN2_HYPHEN_STARTEND: return {"a hyphen may not begin or end it"};
    case IDN2_LEADING_COMBINING: return {"it begins with a combining mark"};
    case IDN2_CONTEXTJ:
    case IDN2_CONTEXTJ_NO_RULE:
    case IDN2_CONTEXTO:
    case IDN2_CONTEXTO_NO_RULE: return {"it holds a character that may not stand in this place"};
    case IDN2_BIDI: return {"it mixes directions of writing as RFC 5893 does not allow"};
    case IDN2_TOO_BIG_LABEL:
    case IDN2_PUNYCODE_BIG_OUTPUT: return {"it would have more than 63 octets in DNS"};
    default: return {"it cannot be encoded for DNS"};
    }
}

result<std::string> look_up(std::string_view label, int flags)
{
    const std::string terminated(label);
    std::uint8_t* out = nullptr;
    const int error = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(terminated.c_str()), &out, flags);
    const std::unique_ptr<std::uint8_t, idn2_deleter> owner(out);
    if (error != IDN2_OK)
        return problem_of(error);
    return std::string(reinterpret_cast<const char*>(out));
}

result<std::string> decode(std::string_view a_label)
{
    const std::string terminated(a_label);
    char* out = nullptr;
    const int error = idn2_to_unicode_8z8z(terminated.c_str(), &out, 0);
    const std::unique_ptr<char, idn2_deleter> owner(out);
    if (error == IDN2_MALLOC)
        throw std::bad_alloc();
    if (error != IDN2_OK)
        return problem{"what follows xn-- is not Punycode"};
    return std::string(out);
}

} // namespace

result<std::string> to_ascii_label(std::string_view label)
{
    auto mapped = look_up(label, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (!mapped || !mapped->starts_with("xn--"))
        return mapped;
    if (const auto unicode = to_unicode_label(*mapped); !unicode)
        return unicode.problem();
    return mapped;
}

// Decoding alone proves nothing: xn--abc- decodes to abc, which nobody would look up by that name.
result<std::string> to_unicode_label(std::string_view a_label)
{
    auto unicode = decode(a_label);
    if (!unicode)
        return unicode;
    if (unicode->empty() || !base::is_utf8(*unicode))
        return problem{"it does not stand for a text"};
    if (unicode->front() == '-' || unicode->back() == '-')
        return problem_of(IDN2_HYPHEN_STARTEND); // not checked by a strict look-up of the library
    const auto again = look_up(*unicode, IDN2_NO_TR46);
    if (!again)
        return again;
    if (*again != a_label)
        return problem{"it is not how the name it stands for is encoded"};
    return unicode;
}

} // namespace postrider::smtp
