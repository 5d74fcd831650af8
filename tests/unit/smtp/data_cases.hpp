// SPDX-License-Identifier: MIT
#pragma once
// unit/smtp/data_cases: what the tests of the encoder and of the decoder try.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace postrider::test {

/// Every text of at most `size_max` octets over CR, LF, dot and one letter: all that matters to
/// lines and dots happens among these four.
inline void for_all_short_texts(std::size_t size_max, const std::function<void(const std::string&)>& test)
{
    constexpr std::string_view octets = "\r\n.a";
    for (std::size_t size = 0; size <= size_max; ++size) {
        for (std::size_t number = 0; number < std::size_t{1} << 2 * size; ++number) {
            std::string text;
            for (std::size_t i = 0; i < size; ++i)
                text += octets[number >> 2 * i & 3];
            test(text);
        }
    }
}

inline std::string visible(std::string_view text)
{
    std::string result;
    for (const char octet : text)
        result += octet == '\r' ? "<CR>" : octet == '\n' ? "<LF>" : std::string(1, octet);
    return result;
}

} // namespace postrider::test
