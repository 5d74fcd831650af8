// SPDX-License-Identifier: MIT
// app/line_receiver: one buffer, from which lines are taken as long as somebody wants them.

#include "postrider/app/line_receiver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace postrider::app {

line_receiver::line_receiver(std::string delimiter, std::size_t line_octets_max)
    : delimiter_(std::move(delimiter)), line_octets_max_(line_octets_max)
{
    if (delimiter_.empty())
        throw std::invalid_argument("line_receiver: the delimiter of lines is empty");
}

void line_receiver::raw_data_received(std::string_view)
{
    throw std::logic_error("raw_data_received() must be overridden by who calls set_raw_mode()");
}

void line_receiver::line_too_long(std::size_t octets)
{
    log().limited(log_level::warning, "line_too_long",
                  fmt::format("{} sent a line of more than {} octets ({} so far): the connection is closed",
                              transport().peer(), line_octets_max_, octets));
    transport().lose_connection();
}

void line_receiver::send_line(std::string_view line)
{
    if (line.find(delimiter_) != std::string_view::npos)
        throw std::invalid_argument("send_line(): the line holds the delimiter, and would be two");
    std::string octets;
    octets.reserve(line.size() + delimiter_.size());
    octets += line;
    octets += delimiter_;
    transport().write(std::move(octets));
}

void line_receiver::set_raw_mode()
{
    raw_ = true;
    skipping_ = false;
}

void line_receiver::set_line_mode(std::string_view extra)
{
    raw_ = false;
    extra_ += extra;
    // Outside of a callback the connection is asked for one, so that an exception of line_received() has
    // the consequences that it always has. While it pauses, resuming will do.
    if (busy_ || extra_.empty() || !transport().reading())
        return;
    transport().pause_reading();
    transport().resume_reading();
}

void line_receiver::data_received(std::string_view octets)
{
    if (busy_)
        throw std::logic_error("data_received() from inside its own callbacks: what is to be read next is "
                               "given to set_line_mode()");
    held_ += octets;
    take_all();
}

void line_receiver::reading_resumed() { take_all(); }

void line_receiver::take_all()
{
    if (busy_)
        return;
    struct turn {
        line_receiver& of;
        ~turn()
        {
            of.give_back_extra();
            of.held_.erase(0, of.taken_);
            of.searched_ -= std::min(of.searched_, of.taken_);
            of.taken_ = 0;
            of.busy_ = false;
        }
    } mine{*this};
    busy_ = true;
    while (transport().reading() && take_some()) {}
}

bool line_receiver::take_some()
{
    give_back_extra();
    return raw_ ? take_raw() : take_line();
}

bool line_receiver::take_raw()
{
    const std::string_view octets = std::string_view(held_).substr(taken_);
    if (octets.empty())
        return false;
    taken_ = searched_ = held_.size();
    raw_data_received(octets);
    return true;
}

bool line_receiver::take_line()
{
    const std::size_t end = held_.find(delimiter_, std::max(searched_, taken_));
    if (end == std::string::npos)
        return no_end_in_sight();
    const std::string_view line = std::string_view(held_).substr(taken_, end - taken_);
    taken_ = searched_ = end + delimiter_.size();
    if (std::exchange(skipping_, false))
        return true;
    if (line.size() > line_octets_max_)
        line_too_long(line.size());
    else
        line_received(line);
    return true;
}

// Of what has been searched only a beginning of the delimiter can still matter. A line within the limit
// may have that much behind it, and not more.
bool line_receiver::no_end_in_sight()
{
    const std::size_t octets = held_.size() - taken_;
    const std::size_t undecided = std::min(octets, delimiter_.size() - 1);
    searched_ = held_.size() - undecided;
    const bool too_long = octets - undecided > line_octets_max_;
    if (skipping_ || too_long)
        taken_ = searched_;
    if (!too_long || std::exchange(skipping_, true))
        return false;
    line_too_long(octets);
    return true;
}

void line_receiver::give_back_extra()
{
    if (extra_.empty())
        return;
    held_.replace(0, taken_, std::exchange(extra_, {}));
    taken_ = searched_ = 0;
}

} // namespace postrider::app
