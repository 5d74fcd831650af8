// SPDX-License-Identifier: MIT
#pragma once
// app/line_receiver: a protocol of lines, with stretches of anything in between.
//
// In whatever pieces octets come, the lines are the same. While reading is paused, and after the
// connection was told to close, no line is given out, though it may have come already: those of before a
// pause follow with resume_reading(), those of before the end are dropped with what is left of a line.
//
// A line is too long when more than line_octets_max octets come before its delimiter. That is told once,
// and at the latest when a delimiter's length more has come; no more than that is kept.

#include "postrider/app/protocol.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace postrider::app {

class line_receiver : public protocol {
public:
    /// `line_octets_max` counts without the delimiter. Throws std::invalid_argument if that is empty.
    explicit line_receiver(std::string delimiter = "\r\n", std::size_t line_octets_max = 16'384);

    virtual void line_received(std::string_view line) = 0; ///< without its delimiter; valid inside the call

    /// What comes in raw mode. The default throws std::logic_error: who sets it wants the octets.
    virtual void raw_data_received(std::string_view octets);

    /// A line without end, of which `octets` have come so far. The default logs it and drops the
    /// connection; after another that does not, the line is skipped, up to its delimiter.
    virtual void line_too_long(std::size_t octets);

    void send_line(std::string_view line); ///< throws std::invalid_argument if it holds the delimiter

    void set_raw_mode();                             ///< from the next octet on; in line_received() too
    void set_line_mode(std::string_view extra = {}); ///< `extra`: octets to be read as lines first

    void data_received(std::string_view octets) final;
    void reading_resumed() final;

private:
    void take_all();
    bool take_some();
    bool take_line();
    bool take_raw();
    bool no_end_in_sight();
    void give_back_extra();

    std::string delimiter_;
    std::size_t line_octets_max_;
    std::string held_;         // what has come; it does not move while a callback looks at it
    std::size_t taken_ = 0;    // octets of held_ that have been given out
    std::size_t searched_ = 0; // octets of held_ before which no delimiter begins
    std::string extra_;        // of set_line_mode(), to be read before the rest of held_
    bool raw_ = false, busy_ = false;
    bool skipping_ = false; // the rest of a line that was too long
};

} // namespace postrider::app
