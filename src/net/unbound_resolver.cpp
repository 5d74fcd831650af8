// SPDX-License-Identifier: MIT
// net/unbound_resolver: a resolver that is libunbound, driven by the caller's own event loop.
//
// libunbound finds, validates and caches; it runs on Asio's descriptors and timers
// (unbound_events) and has neither thread nor process of its own. What it lacks is added here:
//
// - A limit. By itself it gives up after 17 s at the earliest. A look-up is owned by the wait for
//   its own limit; whatever ends it first (an answer, the limit, a cancel, the end of the resolver)
//   takes its handler, and nothing that comes later finds one.
// - An answer in every case. libunbound drops the callbacks of what it is told to cancel, so it is
//   never told: it finishes the look-up that nobody waits for any more, and its cache has the gain.
// - An end. The context is torn down on the strand on which it works, after the last handler has
//   been posted.
//
// The context is made at the first question, as not every program that can deliver mail does.
// /etc/hosts is not consulted; "localhost" and the names below it are this host (RFC 6761).
//
// Known limits: look-ups that have been given up, and idle TCP connections to servers (3 s), are
// work for the caller's loop until they end or the resolver is gone. A resolver has to be destroyed
// before its execution context, as any object of Asio's.

#include "base/text.hpp"
#include "net/resolver.hpp"
#include "net/unbound_answer.hpp"
#include "net/unbound_events.hpp"
#include "net/unbound_settings.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <fmt/format.h>
#include <unbound.h>

#include <algorithm>
#include <exception>
#include <list>
#include <mutex>
#include <optional>
#include <utility>

namespace postrider::net {

namespace {

constexpr std::chrono::milliseconds longest_limit = std::chrono::hours(1);
constexpr int class_in = 1;

/// libunbound keeps its log and its hash seed in globals that contexts write when they are made and
/// unmade, and a program may have resolvers on several threads.
std::mutex& library_globals()
{
    static std::mutex mutex;
    return mutex;
}

/// One question that somebody waits for.
struct lookup {
    lookup(const asio::any_io_executor& strand, const asio::any_io_executor& executor, dns::name question,
           dns::type type, std::chrono::milliseconds most, resolver::handler handler)
        : owner(std::move(question)), kind(type), done(std::move(handler)),
          executor_kept_busy(asio::prefer(asio::get_associated_executor(done, executor),
                                          asio::execution::outstanding_work.tracked)),
          limit(strand, std::clamp(most, std::chrono::milliseconds(0), longest_limit))
    {
    }

    dns::name owner;
    dns::type kind;
    resolver::handler done; ///< empty once the look-up has ended
    asio::any_completion_executor executor_kept_busy;
    asio::steady_timer limit;
};

class engine : public std::enable_shared_from_this<engine> {
public:
    engine(asio::any_io_executor executor, unbound_settings settings)
        : executor_(std::move(executor)), strand_(asio::make_strand(executor_)), events_(strand_),
          settings_(std::move(settings))
    {
    }

    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    // With the context still there only if the execution context is being destroyed: then handlers
    // are destroyed too, as Asio does with all that is pending.
    ~engine() { delete_context(); }

    /// From any thread.
    void resolve(dns::name owner, dns::type kind, std::chrono::milliseconds limit, resolver::handler done);

    /// From any thread: ends every look-up as cancelled, then libunbound.
    void close();

private:
    /// A question as libunbound knows it: it lives until the callback, or the end of the context.
    struct inquiry {
        engine* owner;
        std::weak_ptr<lookup> asker; ///< gone if nobody waits for the answer any more
        std::list<inquiry>::iterator self;
    };

    void start(const std::shared_ptr<lookup>& l);
    std::optional<std::string> ask(const std::shared_ptr<lookup>& l);
    std::optional<std::string> create_context();
    void delete_context();
    void end_unanswered(lookup& l, dns::lookup_status status, std::string why = {});
    void end(lookup& l, dns::answer a);
    static void on_answer(void* about, int code, void* packet, int packet_octets, int security,
                          char* why_bogus, int was_rate_limited) noexcept;

    asio::any_io_executor executor_;
    asio::any_io_executor strand_; ///< everything below is used on it only
    unbound_events events_;
    unbound_settings settings_;
    ub_ctx* context_ = nullptr;
    std::list<inquiry> inquiries_;
    bool closed_ = false;
};

void engine::resolve(dns::name owner, dns::type kind, std::chrono::milliseconds limit, resolver::handler done)
{
    auto slot = asio::get_associated_cancellation_slot(done);
    auto l = std::make_shared<lookup>(strand_, executor_, std::move(owner), kind, limit, std::move(done));
    if (slot.is_connected()) {
        // Weak: a signal may live much longer than the look-up and the resolver.
        slot.assign([engine = weak_from_this(), asker = std::weak_ptr(l)](asio::cancellation_type type) {
            auto self = engine.lock();
            auto cancelled = asker.lock();
            if (self && cancelled && type != asio::cancellation_type::none) {
                asio::post(self->strand_, [self, cancelled] {
                    self->end_unanswered(*cancelled, dns::lookup_status::cancelled);
                });
            }
        });
    }
    asio::post(strand_, [self = shared_from_this(), l = std::move(l)] { self->start(l); });
}

void engine::close()
{
    asio::post(strand_, [self = shared_from_this()] {
        self->closed_ = true;
        for (inquiry& i : self->inquiries_) {
            if (const auto l = i.asker.lock()) {
                self->end_unanswered(*l, dns::lookup_status::cancelled);
            }
        }
        self->delete_context();
    });
}

// The wait for the limit is the owner of the look-up, and nothing of ours is: a handler often holds
// the coroutine that holds the resolver, and if the engine held the handler, that circle would
// outlive an execution context that is destroyed in the middle.
void engine::start(const std::shared_ptr<lookup>& l)
{
    if (closed_) {
        return end_unanswered(*l, dns::lookup_status::cancelled);
    }
    l->limit.async_wait([self = shared_from_this(), l](error_code error) {
        if (!error) {
            self->end_unanswered(*l, dns::lookup_status::timed_out);
        }
    });
    if (auto trouble = ask(l)) {
        end_unanswered(*l, dns::lookup_status::unreachable, std::move(*trouble));
    }
}

/// Returns nothing, or why libunbound cannot work on it. The answer may come before this returns.
std::optional<std::string> engine::ask(const std::shared_ptr<lookup>& l)
{
    std::unique_lock globals(library_globals(), std::defer_lock);
    const bool first = context_ == nullptr;
    if (first) {
        globals.lock(); // through the first question, which finishes the set-up
        if (auto trouble = create_context()) {
            globals.unlock();
            delete_context();
            return trouble;
        }
    }
    const auto mine = inquiries_.insert(inquiries_.end(), inquiry{this, l, {}});
    mine->self = mine;
    // In lower case, as libunbound lets the letters of the question show through in the names of the
    // answer: who asks for EXAMPLE.org would be sent to mx1.EXAMPLE.org.
    const std::string owner = base::lower(l->owner.to_string());
    const int error = ub_resolve_event(context_, owner.c_str(), static_cast<int>(l->kind), class_in, &*mine,
                                       &engine::on_answer, nullptr);
    if (error == 0) {
        return std::nullopt;
    }
    inquiries_.erase(mine);
    if (first) { // half set up, perhaps: the next question tries again from the beginning
        globals.unlock();
        delete_context();
    }
    return fmt::format("the resolver cannot work: {}", ub_strerror(error));
}

std::optional<std::string> engine::create_context()
{
    context_ = ub_ctx_create_ub_event(events_.base());
    if (context_ == nullptr) {
        return "the resolver cannot work: out of memory";
    }
    return settings_.apply(context_);
}

void engine::delete_context()
{
    if (context_ == nullptr) {
        return;
    }
    const std::scoped_lock globals(library_globals());
    ub_ctx_delete(std::exchange(context_, nullptr)); // may call back, and finds nobody waiting
    inquiries_.clear();
}

// Called by libunbound, which is C: no exception may leave.
void engine::on_answer(void* about, int code, void* packet, int packet_octets, int security, char* why_bogus,
                       int /*was_rate_limited*/) noexcept
{
    inquiry& i = *static_cast<inquiry*>(about);
    engine& self = *i.owner;
    const auto l = i.asker.lock();
    self.inquiries_.erase(i.self);
    if (!l || !l->done) {
        return;
    }
    const auto octets = packet != nullptr ? static_cast<std::size_t>(std::max(packet_octets, 0)) : 0;
    const unbound_reply reply{code,
                              {static_cast<const std::uint8_t*>(packet), octets},
                              security,
                              why_bogus != nullptr ? why_bogus : ""};
    try {
        self.end(*l, read_unbound_reply(reply, l->kind));
    } catch (const std::exception& problem) {
        self.end_unanswered(*l, dns::lookup_status::unreachable, problem.what());
    }
}

void engine::end_unanswered(lookup& l, dns::lookup_status status, std::string why)
{
    dns::answer a;
    a.status = status;
    a.code = dns::rcode::server_failure; // never "no error" where nobody said so
    a.why = std::move(why);
    end(l, std::move(a));
}

void engine::end(lookup& l, dns::answer a)
{
    if (!l.done) {
        return;
    }
    a.asked = settings_.asked(l.owner);
    auto executor = asio::get_associated_executor(l.done, executor_);
    auto call = [done = std::move(l.done), a = std::move(a)]() mutable {
        // Here and not earlier: a slot belongs to the thread of its handler.
        asio::get_associated_cancellation_slot(done).clear();
        std::move(done)(std::move(a));
    };
    asio::post(executor_, asio::bind_executor(executor, std::move(call)));
    l.executor_kept_busy = nullptr;
    l.limit.cancel();
}

class unbound_resolver final : public resolver {
public:
    explicit unbound_resolver(std::shared_ptr<engine> e) : engine_(std::move(e)) {}
    ~unbound_resolver() override { engine_->close(); }
    unbound_resolver(const unbound_resolver&) = delete;
    unbound_resolver& operator=(const unbound_resolver&) = delete;

    void resolve(dns::name owner, dns::type kind, std::chrono::milliseconds limit, handler done) override
    {
        engine_->resolve(std::move(owner), kind, limit, std::move(done));
    }

private:
    std::shared_ptr<engine> engine_;
};

} // namespace

std::shared_ptr<resolver> make_resolver(asio::any_io_executor executor, const resolver_options& options)
{
    auto e = std::make_shared<engine>(std::move(executor), unbound_settings(options));
    return std::make_shared<unbound_resolver>(std::move(e));
}

} // namespace postrider::net
