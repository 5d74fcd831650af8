// SPDX-License-Identifier: MIT
// smtp/data_decoder: five places to be in a message, and a scan that crosses most of it at once.
#include "smtp/data_decoder.hpp"

#include "smtp/line_scan.hpp"

namespace postrider::smtp {

data_decoder::progress data_decoder::decode(std::string_view input, std::string& out)
{
    std::size_t taken = 0;
    while (taken < input.size()) {
        const char next = input[taken];
        switch (state_) {
        case at::line_start:
            if (next == '.') {
                state_ = at::dot;
                ++taken;
                break;
            }
            [[fallthrough]];
        case at::in_line:
            if (next == '\n')
                return bare(taken);
            taken += take_text(input.substr(taken), out);
            break;
        case at::dot:
            if (next == '\n')
                return bare(taken);
            if (next == '\r') {
                state_ = at::dot_cr;
                ++taken;
            } else {
                // The octet after the dot is text, and a dot among text if it is one.
                state_ = at::in_line;
            }
            break;
        case at::dot_cr:
            if (next != '\n')
                return bare(taken);
            state_ = at::line_start;
            return {status::end, taken + 1};
        case at::cr:
            if (next != '\n')
                return bare(taken);
            out += "\r\n";
            state_ = at::line_start;
            ++taken;
            break;
        }
    }
    return {status::more, taken};
}

/// Text up to the first break; called where `input` begins with none.
std::size_t data_decoder::take_text(std::string_view input, std::string& out)
{
    const char before = state_ == at::line_start ? '\n' : 'x'; // in a line, any octet of text will do
    const std::size_t clean = scan_lines(before, input).clean;
    const char last = input[clean - 1];
    const bool open = last == '\r';
    out.append(input.data(), clean - (open ? 1 : 0));
    if (open)
        state_ = at::cr;
    else
        state_ = last == '\n' ? at::line_start : at::in_line;
    return clean;
}

} // namespace postrider::smtp
