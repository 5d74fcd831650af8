// SPDX-License-Identifier: MIT
#pragma once
// delivery/blocking: client and mailer for programs without an event loop.
//
//     postrider::blocking_client smtp;
//     smtp.connect(postrider::server("mail.example.org"));
//     auto report = smtp.send(message);
//
// Each call runs a loop of its own until its operation has ended, on the code of postrider/client.hpp
// and postrider/mailer.hpp, with the same time limits. A conversation that breaks is thrown as
// connect_error or send_error, with the report inside; a server that says no is in the report.
// Callbacks of the settings are called from inside the call. One thread at a time; nothing ends a
// call early but its time limits.

#include "postrider/client.hpp"
#include "postrider/mailer.hpp"

#include <memory>
#include <vector>

namespace postrider {

class blocking_client {
public:
    explicit blocking_client(settings how = {});
    blocking_client(blocking_client&&) noexcept;
    blocking_client& operator=(blocking_client&&) noexcept;
    ~blocking_client(); ///< closes the connection at once, without QUIT

    connect_report connect(server where);                    ///< throws connect_error
    report send(message what);                               ///< throws send_error
    std::vector<report> send_all(std::vector<message> what); ///< throws send_error
    void quit();

    bool is_open() const noexcept;

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

class blocking_mailer {
public:
    explicit blocking_mailer(settings how = {});
    blocking_mailer(blocking_mailer&&) noexcept;
    blocking_mailer& operator=(blocking_mailer&&) noexcept;
    ~blocking_mailer();

    report deliver(message what);                               ///< throws send_error: invalid settings
    std::vector<report> deliver_all(std::vector<message> what); ///< throws send_error: invalid settings
    std::vector<planned_route> plan(envelope what); ///< throws std::system_error: invalid settings

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace postrider
