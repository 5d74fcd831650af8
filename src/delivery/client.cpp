// SPDX-License-Identifier: MIT
// delivery/client: one server, one connection, messages one after the other.

#include "postrider/client.hpp"

#include "delivery/arrival.hpp"
#include "delivery/connection.hpp"
#include "delivery/in_world.hpp"
#include "delivery/operation.hpp"

#include <utility>

namespace postrider {

struct client_engine {
    client_engine(asio::any_io_executor e, settings s) : executor(std::move(e)), how(std::move(s)) {}

    static client client_of(std::shared_ptr<client_engine> e) { return client(std::move(e)); }

    asio::any_io_executor executor;
    settings how;
    std::shared_ptr<net::environment> world; // given, or made when first needed
    std::shared_ptr<server> where;           // to connect again; none for a stream that was given
    std::unique_ptr<delivery::connection> link;
    std::shared_ptr<delivery::stop_signal> stop; // of the operation under way, if there is one
};

namespace {

using delivery::connection;
using delivery::ended;
using engine_ptr = std::shared_ptr<client_engine>;

void make_world(client_engine& e)
{
    if (!e.world)
        e.world = net::make_environment(e.executor, delivery::resolver_options(e.how));
}

asio::awaitable<ended<connect_report>> do_connect(engine_ptr e, std::shared_ptr<server> where,
                                                  std::unique_ptr<stream> over)
{
    e->link.reset();
    e->where = where;
    make_world(*e);
    delivery::arrival a;
    if (where)
        a = co_await delivery::connect_to(e->world, *where, e->how);
    else
        a = co_await delivery::greet_over(e->world, std::move(over), e->how);
    e->link = std::move(a.link);
    ended<connect_report> result(a.error, std::move(a.report));
    co_return result;
}

std::vector<report> untried_reports(const std::vector<message>& all, const std::string& why,
                                    std::error_code error)
{
    std::vector<report> reports;
    for (const message& m : all) {
        report& r = reports.emplace_back();
        for (const address& to : m.envelope().recipients()) {
            recipient_report& one = r.recipients.emplace_back(to);
            one.why = why;
            one.error = error;
        }
    }
    return reports;
}

// Indices of all recipients of a message.
std::vector<std::size_t> everybody(const message& m)
{
    std::vector<std::size_t> all(m.envelope().recipients().size());
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = i;
    return all;
}

std::error_code first_error(const std::vector<report>& all)
{
    for (const report& r : all)
        for (const recipient_report& one : r.recipients)
            if (one.error)
                return one.error;
    return {};
}

bool is_untried(const report& r)
{
    return !r.recipients.empty() && r.count(verdict::untried) == r.recipients.size();
}

void settle(report& r, const std::vector<smtp::outcome>& outcomes, const connection& link)
{
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        delivery::fill_in(r.recipients[i], outcomes[i],
                          policy::decide_outcome(outcomes[i], link.host()).meaning, link);
}

// Sends what is still untried, over a new connection where the old one is gone, as long as every
// round gets somewhere. A connection that died at rest cost nothing, so it is worth one round more.
asio::awaitable<void> send_rounds(engine_ptr e, const std::vector<message>& all, std::vector<report>& reports)
{
    bool reused = true;
    for (;;) {
        std::vector<std::size_t> left;
        std::vector<net::session_driver::outgoing> out;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (!is_untried(reports[i]))
                continue;
            left.push_back(i);
            out.push_back(delivery::outgoing_for(all[i], everybody(all[i])));
        }
        if (left.empty())
            co_return;
        if (e->link->closed()) {
            if (!e->where)
                co_return;
            reused = false;
            delivery::arrival a = co_await delivery::connect_to(e->world, *e->where, e->how);
            if (a.error) {
                for (std::size_t i : left)
                    for (recipient_report& r : reports[i].recipients) {
                        r = recipient_report(r.recipient); // what ended the last connection is over
                        r.host = a.report.host;
                        delivery::fill_in(r, a.meaning, a.report.where, a.error);
                    }
                co_return;
            }
            e->link = std::move(a.link);
        }
        const std::vector<std::vector<smtp::outcome>> outcomes = co_await e->link->deliver(std::move(out));
        for (std::size_t k = 0; k < outcomes.size() && k < left.size(); ++k)
            settle(reports[left[k]], outcomes[k], *e->link);
        const auto& broke = e->link->session().failure();
        const bool got_somewhere = !is_untried(reports[left.front()]);
        if (!broke || broke->error == error::cancelled || (!got_somewhere && !reused))
            co_return;
        reused = false;
    }
}

asio::awaitable<ended<std::vector<report>>> do_send(engine_ptr e, std::vector<message> all)
{
    ended<std::vector<report>> result;
    if (!e->link) {
        result.error = make_error_code(error::not_connected);
        result.value = untried_reports(all, "not connected", result.error);
        co_return result;
    }
    result.value = untried_reports(all, "not begun", {});
    co_await send_rounds(e, all, result.value);
    result.error = first_error(result.value);
    if (e->link && e->link->closed() && !e->where)
        e->link.reset();
    co_return result;
}

asio::awaitable<ended<report>> do_send_one(engine_ptr e, std::vector<message> one)
{
    ended<std::vector<report>> sent = co_await do_send(std::move(e), std::move(one));
    ended<report> result(sent.error, std::move(sent.value.front()));
    co_return result;
}

struct nothing {};

asio::awaitable<ended<nothing>> do_quit(engine_ptr e)
{
    if (e->link)
        co_await e->link->quit();
    e->link.reset();
    co_return ended<nothing>();
}

// Starts `work` if nothing else is under way; else the handler gets `instead`.
template <class Value>
void start(const engine_ptr& e, asio::awaitable<ended<Value>> work, completion<Value> done, Value instead)
{
    if (e->stop) {
        delivery::promised_call<Value> call(e->executor, std::move(done));
        std::move(call)(make_error_code(error::operation_in_progress), std::move(instead));
        return;
    }
    e->stop = std::make_shared<delivery::stop_signal>();
    delivery::run<Value>(e->executor, std::move(work), e->stop, std::move(done), [e] { e->stop.reset(); });
}

} // namespace

client::client(asio::any_io_executor executor, settings how)
    : impl_(std::make_shared<client_engine>(std::move(executor), std::move(how)))
{
}

client delivery::client_in(std::shared_ptr<net::environment> world, settings how)
{
    auto engine = std::make_shared<client_engine>(world->executor(), std::move(how));
    engine->world = std::move(world);
    return client_engine::client_of(std::move(engine));
}

client::client(client&&) noexcept = default;

client& client::operator=(client&& other) noexcept
{
    if (this != &other) {
        if (impl_)
            cancel();
        impl_ = std::move(other.impl_);
    }
    return *this;
}

client::~client()
{
    if (impl_)
        cancel();
}

asio::any_io_executor client::get_executor() const { return impl_->executor; }

bool client::is_open() const noexcept { return impl_->link && !impl_->link->closed(); }

void client::cancel()
{
    if (impl_->stop)
        impl_->stop->emit();
    else
        impl_->link.reset();
}

void client::connecting::operator()(completion<connect_report> done)
{
    connect_report instead;
    instead.why = make_error_code(error::operation_in_progress).message();
    start<connect_report>(impl, do_connect(impl, std::move(where), std::move(over)), std::move(done),
                          std::move(instead));
}

void client::sending_one::operator()(completion<report> done)
{
    std::vector<message> one;
    one.push_back(std::move(what));
    const auto busy = make_error_code(error::operation_in_progress);
    report instead = untried_reports(one, busy.message(), busy).front();
    start<report>(impl, do_send_one(impl, std::move(one)), std::move(done), std::move(instead));
}

void client::sending_all::operator()(completion<std::vector<report>> done)
{
    const auto busy = make_error_code(error::operation_in_progress);
    std::vector<report> instead = untried_reports(what, busy.message(), busy);
    start<std::vector<report>>(impl, do_send(impl, std::move(what)), std::move(done), std::move(instead));
}

void client::start_quit(std::shared_ptr<client_engine> impl, asio::any_completion_handler<void()> done)
{
    // The handler of QUIT takes no error: what the server makes of it changes nothing.
    const auto executor = asio::get_associated_executor(done);
    const auto slot = asio::get_associated_cancellation_slot(done);
    auto quiet = [done = std::move(done)](error_code, nothing) mutable { std::move(done)(); };
    completion<nothing> adapted(
        asio::bind_cancellation_slot(slot, asio::bind_executor(executor, std::move(quiet))));
    start<nothing>(impl, do_quit(impl), std::move(adapted), nothing());
}

} // namespace postrider
