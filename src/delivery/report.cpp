// SPDX-License-Identifier: MIT
// delivery/report: counting verdicts, and the exceptions that own a report.

#include "postrider/report.hpp"

#include "postrider/client.hpp"
#include "postrider/mailer.hpp"

#include <algorithm>

namespace postrider {
namespace {

// The first sentence that says what broke.
std::string sentence_of(const report& what)
{
    for (const recipient_report& r : what.recipients)
        if (r.error)
            return r.why;
    return what.recipients.empty() ? std::string() : what.recipients.front().why;
}

} // namespace

bool report::all_delivered() const noexcept
{
    return !recipients.empty() && count(verdict::delivered) == recipients.size();
}

std::size_t report::count(verdict v) const noexcept
{
    return static_cast<std::size_t>(std::count_if(recipients.begin(), recipients.end(),
                                                  [v](const recipient_report& r) { return r.verdict == v; }));
}

send_error::send_error(std::error_code why, postrider::report what)
    : std::system_error(why, sentence_of(what)), report_(std::move(what))
{
}

connect_error::connect_error(std::error_code why, connect_report what)
    : std::system_error(why, what.why), report_(std::move(what))
{
}

template <>
std::exception_ptr exception_for(boost::system::error_code ec, const report& result)
{
    return std::make_exception_ptr(send_error(ec, result));
}

// Of several reports the exception owns one: all recipients of all messages, in order.
template <>
std::exception_ptr exception_for(boost::system::error_code ec, const std::vector<report>& result)
{
    report all;
    for (const report& r : result)
        all.recipients.insert(all.recipients.end(), r.recipients.begin(), r.recipients.end());
    return std::make_exception_ptr(send_error(ec, std::move(all)));
}

template <>
std::exception_ptr exception_for(boost::system::error_code ec, const connect_report& result)
{
    return std::make_exception_ptr(connect_error(ec, result));
}

template <>
std::exception_ptr exception_for(boost::system::error_code ec, const std::vector<planned_route>&)
{
    return std::make_exception_ptr(std::system_error(ec));
}

} // namespace postrider
