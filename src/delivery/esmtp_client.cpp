// SPDX-License-Identifier: MIT
// delivery/esmtp_client: a conversation, and the questions it puts to its program.

#include "postrider/esmtp_client.hpp"

#include "app/loop_engine.hpp"
#include "base/text.hpp"
#include "delivery/arrival.hpp"
#include "delivery/conversation_log.hpp"
#include "delivery/decisive_reply.hpp"
#include "delivery/operation.hpp"
#include "delivery/question.hpp"
#include "postrider/app/loop.hpp"
#include "postrider/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace postrider {
namespace {

using app::eventually;
using delivery::answer;

constexpr int unavailable = 69;     // EX_UNAVAILABLE
constexpr int protocol_broken = 76; // EX_PROTOCOL

// An exception knows best what it is; what says nothing of itself is what the callback was for.
std::error_code code_of(const std::exception_ptr& thrown, error otherwise)
{
    const std::error_code own = app::reason(thrown).error();
    return own ? own : make_error_code(otherwise);
}

std::string sentence_of(const char* callback, const std::exception_ptr& thrown)
{
    return fmt::format("{} threw {}", callback, app::description_of(thrown));
}

std::string no_address(const char* callback, const std::string& given, const problem& why)
{
    return fmt::format("{} gave '{}', which is no address: {}", callback, base::escaped(given, 256),
                       why.what);
}

} // namespace

// Alive as long as it runs, and keeps its program alive. Whoever first knows what became of the message
// under way tells it: the conversation itself, or connection_lost(), which may not wait for it.
struct esmtp_client::conversation : std::enable_shared_from_this<conversation> {
    conversation(esmtp_client& p, settings s) : program(p), how(std::move(s)) {}

    void begin(std::unique_ptr<stream> connected)
    {
        loop = &program.loop();
        prefix = program.log().prefix();
        loop->spawn(run(shared_from_this(), program.shared_from_this(), std::move(connected)), prefix);
    }

    // What may be waited for is the message under way, and no other.
    void stop()
    {
        stopping = true;
        if (!message)
            questions.give_up();
    }

    // The stream is closed already. What became of the message is told before this returns, for
    // afterwards the program has no connection any more, and expects nothing.
    void cut(const app::reason& why)
    {
        if (std::exchange(over, true))
            return;
        const std::error_code error = why.error() ? why.error() : make_error_code(error::cancelled);
        const bool answered = message && settle_what_is_known();
        if (message)
            for (recipient_report& r : message->recipients)
                if (r.error || !answered)
                    r.error = error, r.why = why.sentence();
        if (answered) // perhaps all of it, and then it is no failure
            tell_of_message();
        else
            message_failed({error, why.sentence(), std::nullopt, {}});
        questions.give_up();
    }

    esmtp_client& program;
    settings how;

private:
    struct mail {
        std::optional<address> reverse_path;
        std::vector<recipient_report> recipients;
    };

    static asio::awaitable<void> run(std::shared_ptr<conversation> self, std::shared_ptr<app::protocol>,
                                     std::unique_ptr<stream> connected)
    {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        co_await asio::this_coro::throw_if_cancelled(false);
        std::exception_ptr thrown;
        try {
            co_await self->converse(std::move(connected));
        } catch (...) { // no memory, or a bug of ours: the message is told of all the same
            thrown = std::current_exception();
        }
        self->take_thrown(thrown, "the message", error::body_failed);
        self->release();
    }

    asio::awaitable<void> converse(std::unique_ptr<stream> connected)
    {
        settings logged = how;
        logged.trace([this](const trace_line& line) { note(line); });
        delivery::arrival a =
            co_await delivery::greet_over(loop->engine().world(), std::move(connected), std::move(logged));
        if (over)
            co_return;
        if (a.error) {
            failed({a.error, a.report.why, a.report.said, {}});
            co_return;
        }
        link = std::move(a.link);
        bool another = true;
        while (another && !stopping && !loop->stopping())
            another = co_await one_message();
        if (!over)
            co_await link->quit();
    }

    // False: it was the last, or the conversation is over.
    asio::awaitable<bool> one_message()
    {
        const bool begun = co_await ask_for_sender();
        if (!begun)
            co_return false;
        const bool known = co_await ask_for_recipients();
        if (!known)
            co_return false;
        answer<body> content = co_await ask(&esmtp_client::get_mail_data);
        if (const bool there = take_thrown(content.thrown, "get_mail_data()", error::body_failed); !there)
            co_return false;
        co_await deliver(*std::move(content.value));
        co_return !over && !at_an_end;
    }

    asio::awaitable<bool> ask_for_sender()
    {
        answer<std::optional<std::string>> from = co_await ask(&esmtp_client::get_mail_from);
        const bool there = take_thrown(from.thrown, "get_mail_from()", error::invalid_argument);
        if (!there || stopping || !*from.value)
            co_return false;
        message.emplace();
        const std::string& given = **from.value;
        if (given.empty())
            co_return true;
        const result<address> sender = address::parse(given);
        if (sender)
            message->reverse_path = *sender;
        else
            is_unusable(no_address("get_mail_from()", given, sender.problem()));
        co_return sender.has_value();
    }

    asio::awaitable<bool> ask_for_recipients()
    {
        answer<std::vector<std::string>> to = co_await ask(&esmtp_client::get_mail_to);
        if (const bool there = take_thrown(to.thrown, "get_mail_to()", error::invalid_argument); !there)
            co_return false;
        std::string unusable;
        for (const std::string& given : *to.value) {
            const result<address> recipient = address::parse(given);
            if (recipient)
                message->recipients.emplace_back(*recipient);
            else if (unusable.empty())
                unusable = no_address("get_mail_to()", given, recipient.problem());
        }
        if (to.value->empty())
            unusable = "get_mail_to() gave nobody to send to";
        const bool usable = unusable.empty();
        if (!usable)
            is_unusable(std::move(unusable));
        co_return usable;
    }

    // `question` is asked as a callback: what it throws at once is an answer like what it throws later.
    template <class T>
    asio::awaitable<answer<T>> ask(eventually<T> (esmtp_client::*question)())
    {
        answer<T> given;
        std::optional<eventually<T>> promised;
        try {
            promised.emplace((program.*question)());
        } catch (...) {
            given.thrown = std::current_exception();
        }
        if (promised)
            given = co_await questions.wait_for(loop->get_executor(), *std::move(promised));
        called_off = co_await delivery::is_cancelled();
        co_return given;
    }

    asio::awaitable<void> deliver(body content)
    {
        std::vector<address> to;
        std::vector<std::size_t> all;
        for (const recipient_report& r : message->recipients) {
            all.push_back(all.size());
            to.push_back(r.recipient);
        }
        envelope e;
        if (message->reverse_path)
            e = envelope(*message->reverse_path);
        for (address& one : to)
            e.to(std::move(one));
        const postrider::message what(std::move(e), std::move(content));
        std::vector<net::session_driver::outgoing> out;
        out.push_back(delivery::outgoing_for(what, all));
        const std::vector<std::vector<smtp::outcome>> outcomes = co_await link->deliver(std::move(out));
        if (over)
            co_return; // it was told there
        take(outcomes.front());
        tell_of_message();
    }

    // False: the session has not been told of the message.
    bool settle_what_is_known()
    {
        if (!link)
            return false;
        link->cancel();
        const auto settled = link->session().take_settled();
        if (settled)
            take(settled->outcomes);
        return settled.has_value();
    }

    void take(const std::vector<smtp::outcome>& outcomes)
    {
        for (std::size_t i = 0; i < outcomes.size(); ++i)
            delivery::fill_in(message->recipients[i], outcomes[i],
                              policy::decide_outcome(outcomes[i], link->host()).meaning, *link);
    }

    void tell_of_message()
    {
        const std::vector<recipient_report>& all = message->recipients;
        const auto broken =
            std::find_if(all.begin(), all.end(), [](const recipient_report& r) { return bool(r.error); });
        const reply* const decisive = delivery::decisive_reply(all);
        if (broken != all.end())
            message_failed({broken->error, broken->why, broken->said, {}});
        else if (decisive)
            message_answered(*decisive);
        else // nothing of it was said, as the server does not offer what it needs; the next one may do
            tell({make_error_code(error::not_deliverable), all.front().why, std::nullopt, {}});
    }

    void message_answered(const reply& decisive)
    {
        const mail ended = *std::exchange(message, std::nullopt);
        const auto accepted = std::count_if(ended.recipients.begin(), ended.recipients.end(),
                                            [](const auto& r) { return r.verdict == verdict::delivered; });
        const std::string text = delivery::text_of(decisive);
        call([&] {
            program.sent_mail(decisive.code(), text, static_cast<std::size_t>(accepted), ended.recipients,
                              log.lines());
        });
    }

    // Does nothing if there is no message, or if it was told of already.
    void message_failed(esmtp_failure what)
    {
        if (message)
            failed(std::move(what));
    }

    void failed(esmtp_failure what)
    {
        at_an_end = true;
        why_released = what.error;
        said_released = what.sentence;
        tell(std::move(what));
    }

    void tell(esmtp_failure what)
    {
        if (auto ended = std::exchange(message, std::nullopt))
            what.recipients = std::move(ended->recipients);
        call([&] { program.send_error(what, log.lines()); });
    }

    void is_unusable(std::string sentence)
    {
        break_off(make_error_code(error::invalid_argument), std::move(sentence));
    }

    // Before a word of the message was said.
    void break_off(std::error_code why, std::string sentence)
    {
        if (message)
            for (recipient_report& r : message->recipients)
                r.error = why, r.why = sentence;
        failed({why, std::move(sentence), std::nullopt, {}});
    }

    // True if there is an answer that still matters.
    bool take_thrown(const std::exception_ptr& thrown, const char* callback, error otherwise)
    {
        if (over || !thrown)
            return !over;
        if (called_off || (stopping && !message)) {
            if (message)
                break_off(make_error_code(error::cancelled), "cancelled, as the loop has ended");
            return false;
        }
        call([&] { std::rethrow_exception(thrown); });
        break_off(code_of(thrown, otherwise), sentence_of(callback, thrown));
        return false;
    }

    // A callback that throws has nothing more to say here: nothing more is asked.
    void call(const std::function<void()>& callback)
    {
        if (app::guarded(*loop, prefix, callback))
            at_an_end = true;
    }

    void note(const trace_line& line)
    {
        log.add(line);
        if (how.trace())
            how.trace()(line);
    }

    void release()
    {
        if (std::exchange(over, true))
            return;
        try {
            program.transport().released(why_released, said_released);
        } catch (const std::logic_error&) {
            return; // the connection has gone before us, with its loop: nobody is there to be told
        }
    }

    app::loop* loop = nullptr;
    std::string prefix;
    delivery::conversation_log log;
    std::unique_ptr<delivery::connection> link; // from the reply to EHLO on
    delivery::questions questions;
    std::optional<mail> message; // from its reverse-path until what became of it is told
    std::error_code why_released;
    std::string said_released;
    bool stopping = false;   // no other message is asked for
    bool at_an_end = false;  // nor after this
    bool called_off = false; // the loop has ended
    bool over = false;       // the connection has gone, or was given back
};

esmtp_client::esmtp_client(std::string identity, settings how)
{
    if (!identity.empty())
        how.our_name(std::move(identity));
    conversation_ = std::make_shared<conversation>(*this, std::move(how));
}

esmtp_client::~esmtp_client() = default;

eventually<std::optional<std::string>> esmtp_client::get_mail_from()
{
    log().warning("there is no mail to send: override get_mail_from(), get_mail_to() and get_mail_data()");
    return std::optional<std::string>();
}

eventually<std::vector<std::string>> esmtp_client::get_mail_to()
{
    throw std::logic_error("nobody to send to: override get_mail_to(), as get_mail_from() was");
}

eventually<body> esmtp_client::get_mail_data()
{
    throw std::logic_error("nothing to send: override get_mail_data(), as get_mail_from() was");
}

void esmtp_client::sent_mail(int code, const std::string& text, std::size_t accepted,
                             const std::vector<recipient_report>& recipients, std::span<const std::string>)
{
    log().info(fmt::format("mail for {} of {}: {} {}", accepted,
                           base::counted(recipients.size(), "recipient"), code, text));
}

void esmtp_client::send_error(const esmtp_failure& what, std::span<const std::string>)
{
    log().error(what.sentence);
    const bool their_fault = what.error == error::protocol_broken || what.error == error::out_of_step;
    loop().note_failure(their_fault ? protocol_broken : unavailable);
}

void esmtp_client::connection_made()
{
    std::unique_ptr<stream> connected = transport().take_stream();
    conversation_ = std::make_shared<conversation>(*this, conversation_->how);
    conversation_->begin(std::move(connected));
}

void esmtp_client::connection_lost(const app::reason& why) { conversation_->cut(why); }

void esmtp_client::stop_requested() { conversation_->stop(); }

} // namespace postrider
