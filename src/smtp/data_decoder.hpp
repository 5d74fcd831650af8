// SPDX-License-Identifier: MIT
#pragma once
// smtp/data_decoder: the receiving side of DATA: finds the end, takes the doubled dots off.
//
// Strict, because leniency here is how mail is smuggled (CVE-2023-51764 and its family): only
// CRLF "." CRLF ends the message, and a CR or LF that stands alone is reported, not repaired.
// Any split of the octets gives the same result. Memory is bounded: decoded octets are handed on
// at once, all but a CR whose LF has not come yet.

#include <cstddef>
#include <string>
#include <string_view>

namespace postrider::smtp {

class data_decoder {
public:
    enum class status {
        more, ///< all input was taken, the end has not come
        end,  ///< the final dot's line end has been taken; what follows is not the message's
        bare, ///< the next octet shows a CR or LF that stands alone: RFC 5321 §2.3.8 forbids it
    };
    struct progress {
        status what;
        std::size_t taken; ///< octets of the input consumed
    };

    /// Decodes from the front of `input`, appending the message's octets (CRLF line ends, dots
    /// unstuffed, without the final dot) to `out`. After `end` it is ready for the next message;
    /// after `bare` it stays where it is, and the message cannot be saved.
    progress decode(std::string_view input, std::string& out);

private:
    // What has been taken last. A dot that begins a line and its CR are held back: they are the end
    // of the message or must not be handed on. So is a CR in a line, until its LF has come.
    enum class at { line_start, dot, dot_cr, in_line, cr };

    progress bare(std::size_t taken) const { return {status::bare, taken}; }
    std::size_t take_text(std::string_view input, std::string& out);

    at state_ = at::line_start;
};

} // namespace postrider::smtp
