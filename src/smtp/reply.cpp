// SPDX-License-Identifier: MIT
// smtp/reply: what an SMTP server answered to one command.

#include "postrider/reply.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <utility>

namespace postrider {

std::string enhanced_code::to_string() const { return fmt::format("{}.{}.{}", status, subject, detail); }

reply::reply(int code, std::optional<enhanced_code> enhanced, std::vector<std::string> lines)
    : code_(code), enhanced_(enhanced), lines_(std::move(lines))
{
}

// Servers that send a long text repeat the enhanced code on each line (RFC 2034 §4), so that the
// first one is enough to make the lines read on as one sentence.
std::string reply::to_string(std::size_t limit) const
{
    if (code_ == 0)
        return base::escaped("no reply", limit);
    const std::string repeated = enhanced_ ? enhanced_->to_string() + ' ' : std::string();
    std::string all = std::to_string(code_);
    for (std::size_t i = 0; i < lines_.size() && all.size() <= limit; ++i) {
        std::string_view text = lines_[i];
        if (i > 0 && enhanced_ && text.starts_with(repeated))
            text.remove_prefix(repeated.size());
        if (!text.empty())
            all.append(1, ' ').append(text);
    }
    return base::escaped(all, limit);
}

} // namespace postrider
