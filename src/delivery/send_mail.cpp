// SPDX-License-Identifier: MIT
// delivery/send_mail: attempts, and the waits between them.

#include "postrider/send_mail.hpp"

#include "delivery/arrival.hpp"
#include "delivery/connection.hpp"
#include "delivery/in_world.hpp"
#include "delivery/operation.hpp"
#include "delivery/wait_for.hpp"
#include "postrider/app/backoff.hpp"
#include "postrider/error.hpp"

#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace postrider {
namespace {

using delivery::ended;

// A body that is known to have been begun, and can be asked whether it could be once more.
class repeated_source final : public body_source {
public:
    explicit repeated_source(body of) : of_(std::move(of)) {}

    std::unique_ptr<body_reader> open() override
    {
        begun_ = true;
        if (next_)
            return std::move(next_);
        return of_.open();
    }

    // To ask is to open: the reading is kept for the attempt that will need it.
    bool has_another()
    {
        if (begun_ && !next_)
            next_ = of_.open();
        return !begun_ || next_;
    }

    std::optional<std::uint64_t> size() const override { return of_.size(); }
    std::optional<bool> eight_bit() const override { return of_.eight_bit(); }

private:
    body of_;
    bool begun_ = false;
    std::unique_ptr<body_reader> next_;
};

// What another connection may be spared: the peer was away, fell silent, or ended the conversation.
// Nonsense, a body that cannot be read and a cancel would be the same again.
bool is_trouble_of_the_connection(const std::error_code& why)
{
    return why == error::connection_lost || why == error::timed_out || why == error::server_unavailable ||
           why == error::lookup_failed || why == error::unreachable;
}

bool is_worth_another(const recipient_report& r)
{
    const bool is_safe = r.verdict == verdict::deferred || r.verdict == verdict::untried;
    return is_safe && is_trouble_of_the_connection(r.error);
}

class attempts {
public:
    attempts(std::shared_ptr<net::environment> world, server where, const message& what, settings how,
             retries again)
        : world_(std::move(world)), where_(std::move(where)), how_(std::move(how)), again_(again),
          waits_(again.first(), 2, again.longest()),
          content_(std::make_shared<repeated_source>(what.content())), what_(what.envelope(), body(content_))
    {
        for (const address& to : what.envelope().recipients()) {
            open_.push_back(open_.size());
            report_.recipients.emplace_back(to);
        }
    }

    asio::awaitable<ended<report>> run()
    {
        unsigned made = 0;
        while (!open_.empty() && !cancelled_) {
            co_await attempt();
            ++made;
            std::erase_if(open_, [this](std::size_t i) { return !is_worth_another(report_.recipients[i]); });
            if (open_.empty() || cancelled_ || made == again_.connections() || !has_another_body())
                break;
            co_await wait();
        }
        const std::error_code why = error_of_all();
        ended<report> result(why, std::move(report_));
        co_return result;
    }

private:
    asio::awaitable<void> attempt()
    {
        delivery::arrival a = co_await delivery::connect_to(world_, where_, how_);
        if (a.error) {
            take(a);
            co_return;
        }
        std::vector<net::session_driver::outgoing> out;
        out.push_back(delivery::outgoing_for(what_, open_));
        const std::vector<std::vector<smtp::outcome>> outcomes = co_await a.link->deliver(std::move(out));
        for (std::size_t i = 0; i < open_.size(); ++i)
            take(open_[i], outcomes.front()[i], *a.link);
        co_await a.link->quit();
    }

    void take(const delivery::arrival& failed)
    {
        for (std::size_t i : open_) {
            recipient_report now(report_.recipients[i].recipient);
            now.host = failed.report.host;
            now.peer = failed.report.peer;
            now.said = failed.report.said;
            delivery::fill_in(now, failed.meaning, failed.report.where, failed.error);
            take(i, std::move(now));
        }
    }

    void take(std::size_t i, const smtp::outcome& o, const delivery::connection& link)
    {
        recipient_report now(report_.recipients[i].recipient);
        delivery::fill_in(now, o, policy::decide_outcome(o, link.host()).meaning, link);
        take(i, std::move(now));
    }

    // An attempt that was called off before it came to this recipient says less than the one before.
    void take(std::size_t i, recipient_report now)
    {
        const bool called_off = now.error == error::cancelled;
        cancelled_ = cancelled_ || called_off;
        recipient_report& known = report_.recipients[i];
        if (!(called_off && now.verdict == verdict::untried && known.error))
            known = std::move(now);
    }

    bool has_another_body()
    {
        if (content_->has_another())
            return true;
        for (std::size_t i : open_)
            report_.recipients[i].why += "; not tried again, as the message is a stream and has been read";
        return false;
    }

    asio::awaitable<void> wait()
    {
        if (const bool stopped = co_await delivery::is_cancelled(); stopped) {
            cancelled_ = true;
            co_return;
        }
        const auto how_long = waits_.next([this](std::uint32_t bound) { return world_->random(bound); });
        error_code ec;
        co_await world_->async_wait_until(world_->now() + how_long,
                                          asio::redirect_error(asio::use_awaitable, ec));
        cancelled_ = static_cast<bool>(ec);
    }

    std::error_code error_of_all() const
    {
        if (cancelled_)
            return make_error_code(error::cancelled);
        for (const recipient_report& r : report_.recipients)
            if (r.error)
                return r.error;
        return {};
    }

    std::shared_ptr<net::environment> world_;
    server where_;
    settings how_;
    retries again_;
    app::backoff waits_;
    std::shared_ptr<repeated_source> content_;
    message what_;
    std::vector<std::size_t> open_; // recipients for whom there is still something to be done
    report report_;
    bool cancelled_ = false; // and it ended something
};

asio::awaitable<ended<report>> run_attempts(std::unique_ptr<attempts> all)
{
    ended<report> result = co_await all->run();
    co_return result;
}

} // namespace

// A day between two attempts is a queue's business, and keeps the figures small.
retries::retries(unsigned connections, std::chrono::milliseconds first, std::chrono::milliseconds longest)
    : connections_(std::max(connections, 1u)),
      first_(
          std::clamp<std::chrono::milliseconds>(first, std::chrono::milliseconds(1), std::chrono::hours(24))),
      longest_(std::clamp<std::chrono::milliseconds>(longest, first_, std::chrono::hours(24)))
{
}

void delivery::send_mail_in(std::shared_ptr<net::environment> world, server where, message what, settings how,
                            retries again, completion<report> done)
{
    const asio::any_io_executor executor = world->executor();
    auto all = std::make_unique<attempts>(std::move(world), std::move(where), what, std::move(how), again);
    delivery::run<report>(executor, run_attempts(std::move(all)), std::make_shared<stop_signal>(),
                          std::move(done), [] {});
}

sending_mail::sending_mail(boost::asio::any_io_executor executor, server where, message what, settings how,
                           retries again)
    : executor_(std::move(executor)), where_(std::move(where)), what_(std::move(what)), how_(std::move(how)),
      again_(again)
{
}

void sending_mail::operator()(completion<report> done)
{
    auto world = net::make_environment(executor_, delivery::resolver_options(how_));
    delivery::send_mail_in(std::move(world), std::move(where_), std::move(what_), std::move(how_), again_,
                           std::move(done));
}

report send_mail(server where, message what, settings how, retries again)
{
    asio::io_context loop(1);
    return delivery::wait_for<report>(loop, [&](auto done) {
        async_send_mail(loop.get_executor(), std::move(where), std::move(what), std::move(how), again,
                        std::move(done));
    });
}

} // namespace postrider
