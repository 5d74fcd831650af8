// SPDX-License-Identifier: MIT
// delivery/blocking: a loop that runs as long as its one operation.

#include "postrider/blocking.hpp"

#include "delivery/wait_for.hpp"

#include <utility>

namespace postrider {
using delivery::run_until;
using delivery::wait_for;

struct blocking_client::parts {
    explicit parts(settings how) : smtp(loop.get_executor(), std::move(how)) {}

    asio::io_context loop{1};
    client smtp; // gone before its loop
};

blocking_client::blocking_client(settings how) : parts_(std::make_unique<parts>(std::move(how))) {}
blocking_client::blocking_client(blocking_client&&) noexcept = default;
blocking_client& blocking_client::operator=(blocking_client&&) noexcept = default;
blocking_client::~blocking_client() = default;

connect_report blocking_client::connect(server where)
{
    return wait_for<connect_report>(
        parts_->loop, [&](auto done) { parts_->smtp.async_connect(std::move(where), std::move(done)); });
}

report blocking_client::send(message what)
{
    return wait_for<report>(parts_->loop,
                            [&](auto done) { parts_->smtp.async_send(std::move(what), std::move(done)); });
}

std::vector<report> blocking_client::send_all(std::vector<message> what)
{
    return wait_for<std::vector<report>>(
        parts_->loop, [&](auto done) { parts_->smtp.async_send_all(std::move(what), std::move(done)); });
}

void blocking_client::quit()
{
    bool over = false;
    parts_->smtp.async_quit([&over] { over = true; });
    run_until(parts_->loop, over);
}

bool blocking_client::is_open() const noexcept { return parts_->smtp.is_open(); }

struct blocking_mailer::parts {
    explicit parts(settings how) : direct(loop.get_executor(), std::move(how)) {}

    asio::io_context loop{1};
    mailer direct; // gone before its loop
};

blocking_mailer::blocking_mailer(settings how) : parts_(std::make_unique<parts>(std::move(how))) {}
blocking_mailer::blocking_mailer(blocking_mailer&&) noexcept = default;
blocking_mailer& blocking_mailer::operator=(blocking_mailer&&) noexcept = default;
blocking_mailer::~blocking_mailer() = default;

report blocking_mailer::deliver(message what)
{
    return wait_for<report>(
        parts_->loop, [&](auto done) { parts_->direct.async_deliver(std::move(what), std::move(done)); });
}

std::vector<report> blocking_mailer::deliver_all(std::vector<message> what)
{
    return wait_for<std::vector<report>>(
        parts_->loop, [&](auto done) { parts_->direct.async_deliver_all(std::move(what), std::move(done)); });
}

std::vector<planned_route> blocking_mailer::plan(envelope what)
{
    return wait_for<std::vector<planned_route>>(
        parts_->loop, [&](auto done) { parts_->direct.async_plan(std::move(what), std::move(done)); });
}

} // namespace postrider
