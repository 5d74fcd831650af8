// SPDX-License-Identifier: MIT
// smtp/command_reader: the octets of a client, line by line.

#include "smtp/command_reader.hpp"

#include <algorithm>

namespace postrider::smtp {

command_reader::status command_reader::read(std::string_view& input)
{
    if (input.empty())
        return status::more;
    if (complete_) {
        line_.clear();
        complete_ = too_long_ = false;
    }
    if (!after_cr_) {
        const std::size_t end = input.find_first_of("\r\n");
        append(input.substr(0, end));
        if (end == std::string_view::npos) {
            input = {};
            return status::more;
        }
        input.remove_prefix(end);
        if (input.front() == '\n')
            return status::bare;
        input.remove_prefix(1);
        after_cr_ = true;
        if (input.empty())
            return status::more;
    }
    if (input.front() != '\n')
        return status::bare;
    input.remove_prefix(1);
    return finish();
}

void command_reader::append(std::string_view piece)
{
    const std::size_t line_end = 2;
    const std::size_t room = line_max_ - std::min(line_max_, line_.size() + line_end);
    line_.append(piece.substr(0, room));
    too_long_ = too_long_ || piece.size() > room;
}

command_reader::status command_reader::finish() noexcept
{
    after_cr_ = false;
    complete_ = true;
    return too_long_ ? status::too_long : status::line;
}

} // namespace postrider::smtp
