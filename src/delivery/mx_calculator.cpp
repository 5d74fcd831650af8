// SPDX-License-Identifier: MIT
// delivery/mx_calculator: the mailer's route to a domain, handed out.

#include "postrider/mx_calculator.hpp"

#include "app/loop_engine.hpp"
#include "base/text.hpp"
#include "delivery/connection.hpp"
#include "delivery/group.hpp"
#include "delivery/in_world.hpp"
#include "delivery/operation.hpp"
#include "postrider/address.hpp"
#include "postrider/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

namespace postrider {

struct mx_engine {
    using world_finder = std::function<std::shared_ptr<net::environment>()>;

    mx_engine(asio::any_io_executor e, world_finder where, settings how)
        : executor(std::move(e)), find_world(std::move(where)),
          means(std::make_shared<delivery::shared_means>())
    {
        means->how = std::move(how);
        means->hosts.remember_for(std::chrono::hours(1));
    }

    static mx_calculator calculator_in(std::shared_ptr<net::environment> world, settings how)
    {
        mx_calculator one(world->executor(), std::move(how));
        one.impl_->means->world = std::move(world);
        return one;
    }

    net::environment& world()
    {
        if (!means->world)
            means->world = find_world();
        return *means->world;
    }

    void cancel()
    {
        const auto all = under_way;
        for (const auto& stop : all)
            stop->emit();
    }

    asio::any_io_executor executor;
    world_finder find_world; // asked once, when there is something to look up
    std::shared_ptr<delivery::shared_means> means;
    std::set<std::shared_ptr<delivery::stop_signal>> under_way;
};

namespace {

using delivery::ended;
using engine_ptr = std::shared_ptr<mx_engine>;

ended<mail_exchangers> without_hosts(error what, verdict meaning, std::string why)
{
    mail_exchangers none;
    none.meaning = meaning;
    none.why = std::move(why);
    return {make_error_code(what), std::move(none)};
}

std::string is_no_domain(const std::string& domain, const problem& why)
{
    return fmt::format("'{}' is no domain: {}", base::escaped(domain, 128), why.what);
}

// As the exchangers of a route are called; nothing for what cannot be one.
std::optional<std::string> name_of_host(const std::string& host)
{
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (!ec)
        return address.to_string();
    auto name = parse_domain(host);
    if (!name)
        return std::nullopt;
    return *std::move(name);
}

mail_exchangers in_order(policy::route way, const delivery::host_memory& hosts, net::time_point now)
{
    mail_exchangers found;
    found.notes = std::move(way.notes);
    for (policy::exchanger& x : way.exchangers) {
        mail_exchanger& one = found.hosts.emplace_back();
        one.bad = hosts.is_bad(x.host, now);
        one.host = std::move(x.host);
        one.preference = x.preference;
        one.implicit = x.implicit;
    }
    std::stable_partition(found.hosts.begin(), found.hosts.end(),
                          [](const mail_exchanger& x) { return !x.bad; });
    return found;
}

asio::awaitable<ended<mail_exchangers>> do_get_mx(engine_ptr e, std::string domain)
{
    const result<std::string> name = parse_domain(domain);
    std::string unusable = name ? std::string() : is_no_domain(domain, name.problem());
    try {
        (void)e->world().names(); // throws if the servers of the settings cannot be asked
    } catch (const std::invalid_argument& x) {
        unusable = x.what();
    }
    if (!unusable.empty())
        co_return without_hosts(error::invalid_argument, verdict::refused, std::move(unusable));

    policy::route way = co_await delivery::find_route(e->means, *name);
    if (const bool stopped = co_await delivery::is_cancelled(); stopped)
        co_return without_hosts(error::cancelled, verdict::untried,
                                fmt::format("looking up the mail exchangers of {} was cancelled", *name));
    if (way.trouble) {
        ended<mail_exchangers> none =
            without_hosts(error::lookup_failed, way.trouble->verdict, std::move(way.trouble->sentence));
        none.value.notes = std::move(way.notes);
        co_return none;
    }
    ended<mail_exchangers> found({}, in_order(std::move(way), e->means->hosts, e->means->world->now()));
    co_return found;
}

} // namespace

mx_error::mx_error(std::error_code why, mail_exchangers what)
    : std::system_error(why, what.why), found_(std::move(what))
{
}

template <>
std::exception_ptr exception_for(boost::system::error_code ec, const mail_exchangers& found)
{
    return std::make_exception_ptr(mx_error(ec, found));
}

mx_calculator::mx_calculator(boost::asio::any_io_executor executor, settings how)
{
    auto own = [executor, options = delivery::resolver_options(how)] {
        return net::make_environment(executor, options);
    };
    impl_ = std::make_shared<mx_engine>(executor, std::move(own), std::move(how));
}

mx_calculator::mx_calculator(app::loop& loop, settings how)
    : mx_calculator(loop.get_executor(), std::move(how))
{
    if (impl_->means->how.dns_servers().empty())
        impl_->find_world = [&loop] { return loop.engine().world(); };
}

mx_calculator delivery::mx_calculator_in(std::shared_ptr<net::environment> world, settings how)
{
    return mx_engine::calculator_in(std::move(world), std::move(how));
}

mx_calculator::mx_calculator(mx_calculator&&) noexcept = default;

mx_calculator& mx_calculator::operator=(mx_calculator&& other) noexcept
{
    if (this != &other) {
        if (impl_)
            impl_->cancel();
        impl_ = std::move(other.impl_);
    }
    return *this;
}

mx_calculator::~mx_calculator()
{
    if (impl_)
        impl_->cancel();
}

void mx_calculator::mark_bad(const std::string& host)
{
    if (auto name = name_of_host(host))
        impl_->means->hosts.mark_bad(*name, impl_->world().now());
}

void mx_calculator::mark_good(const std::string& host)
{
    if (auto name = name_of_host(host))
        impl_->means->hosts.mark_good(*name);
}

void mx_calculator::bad_time(std::chrono::seconds how_long) { impl_->means->hosts.remember_for(how_long); }

void mx_calculator::asking::operator()(completion<mail_exchangers> done)
{
    auto stop = std::make_shared<delivery::stop_signal>();
    impl->under_way.insert(stop);
    delivery::run<mail_exchangers>(impl->executor, do_get_mx(impl, std::move(domain)), stop, std::move(done),
                                   [e = impl, stop] { e->under_way.erase(stop); });
}

} // namespace postrider
