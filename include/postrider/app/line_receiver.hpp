// SPDX-License-Identifier: MIT
#pragma once
// app/line_receiver: a protocol of lines, with stretches of anything in between.

#include "postrider/app/protocol.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace postrider::app {

class line_receiver : public protocol {
public:
    /// `delimiter` is not empty; `line_octets_max` counts without it.
    explicit line_receiver(std::string delimiter = "\r\n", std::size_t line_octets_max = 16'384);

    virtual void line_received(std::string_view line) = 0; ///< without its delimiter
    virtual void raw_data_received(std::string_view octets);

    /// A line without end: the default logs it and drops the connection.
    virtual void line_too_long(std::size_t octets);

    void send_line(std::string_view line); ///< throws std::invalid_argument if it holds the delimiter

    void set_raw_mode();                             ///< from the next octet on; in line_received() too
    void set_line_mode(std::string_view extra = {}); ///< `extra`: octets to be read as lines first

    void data_received(std::string_view octets) final;

private:
    void take_lines();

    std::string delimiter_;
    std::size_t line_octets_max_;
    std::string held_;
    std::size_t searched_ = 0; // octets of held_ that hold no delimiter
    bool raw_ = false, busy_ = false;
};

} // namespace postrider::app
