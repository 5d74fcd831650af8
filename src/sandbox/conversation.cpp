// SPDX-License-Identifier: MIT
// sandbox/conversation: lines come, the oldest go.

#include "sandbox/conversation.hpp"

#include <string>

namespace postrider::sandbox {

const spoken_line& conversation::add(char who, std::string_view text)
{
    lines_.push_back({who, std::string(text.substr(0, octets_max_))});
    octets_ += lines_.back().text.size();
    while (lines_.size() > lines_max_ || octets_ > octets_max_) {
        octets_ -= lines_.front().text.size();
        lines_.pop_front();
        forgot_ = true;
    }
    return lines_.back();
}

std::vector<spoken_line> conversation::lines() const
{
    std::vector<spoken_line> all;
    all.reserve(lines_.size() + 1);
    if (forgot_)
        all.push_back({'!', "earlier lines of this session are not kept"});
    all.insert(all.end(), lines_.begin(), lines_.end());
    return all;
}

std::vector<std::string_view> split_lines(std::string_view octets)
{
    std::vector<std::string_view> lines;
    while (!octets.empty()) {
        const std::size_t end = octets.find("\r\n");
        lines.push_back(octets.substr(0, end));
        octets.remove_prefix(end == std::string_view::npos ? octets.size() : end + 2);
    }
    return lines;
}

} // namespace postrider::sandbox
