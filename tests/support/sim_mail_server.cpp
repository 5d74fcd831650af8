// SPDX-License-Identifier: MIT
// support/sim_mail_server: driving a receiving session, and spoiling what it says.

#include "support/sim_mail_server.hpp"

#include <fmt/format.h>

#include <utility>

namespace postrider::test {
namespace {

namespace server = smtp::server;

std::string mark_of(std::size_t number) { return fmt::format("taken as {} ", number); }

} // namespace

sim_mail_server::sim_mail_server(std::string name, sim_manners how, std::shared_ptr<ledger> taken)
    : name_(std::move(name)), how_(std::move(how)), taken_(std::move(taken)), session_([this] {
          smtp::server_options o = how_.options;
          o.name = name_;
          return o;
      }())
{
}

void sim_mail_server::on_open(sim_wire& wire)
{
    wire_ = &wire;
    perform(server::told::connected{});
}

void sim_mail_server::on_octets(std::string_view octets)
{
    heard_ += octets;
    waiting_ += octets;
    if (!std::exchange(listening_, false))
        return;
    running_ = std::exchange(waiting_, {});
    perform(server::told::received{running_});
}

void sim_mail_server::on_closed()
{
    gone_ = true;
    if (std::exchange(listening_, false))
        (void)session_.resume(server::told::closed{});
}

void sim_mail_server::perform(server::event what)
{
    std::optional<server::event> next(std::move(what));
    while (next) {
        const server::action now = session_.resume(*next);
        next = std::visit([this](const auto& asked) { return on_ask(asked); }, now);
    }
}

std::optional<server::event> sim_mail_server::on_ask(const server::ask::receive&)
{
    if (waiting_.empty() || gone_) {
        listening_ = !gone_;
        return std::nullopt;
    }
    running_ = std::exchange(waiting_, {});
    return server::told::received{running_};
}

std::optional<server::event> sim_mail_server::on_ask(const server::ask::send& a)
{
    hand_over(a.octets);
    return server::told::sent{};
}

std::optional<server::event> sim_mail_server::on_ask(const server::ask::sender&)
{
    parting_ = how_.messages_max > 0 && messages_ >= how_.messages_max;
    ++messages_;
    if (parting_)
        return server::told::decision{{421, {4, 7, 0}, "enough for one connection"}};
    return server::told::decision{{250, {2, 1, 0}, "go on"}};
}

std::optional<server::event> sim_mail_server::on_ask(const server::ask::recipient& a)
{
    const std::string recipient = a.who.mailbox ? a.who.mailbox->to_string() : "postmaster";
    if (how_.to_recipient)
        if (auto reply = how_.to_recipient(recipient))
            return server::told::decision{*std::move(reply)};
    return server::told::decision{{250, {2, 1, 5}, "recipient ok"}};
}

std::optional<server::event> sim_mail_server::on_ask(const server::ask::begin&)
{
    content_.clear();
    return server::told::decision{};
}

std::optional<server::event> sim_mail_server::on_ask(const server::ask::content& a)
{
    content_ += a.octets;
    speak_early();
    return server::told::taken{};
}

std::optional<server::event> sim_mail_server::on_ask(const server::ask::complete& a) { return take(a.what); }

std::optional<server::event> sim_mail_server::on_ask(const server::ask::close&)
{
    gone_ = true;
    close_when_said();
    return std::nullopt;
}

// Responsibility is taken here, whatever becomes of the reply.
server::event sim_mail_server::take(const server::transaction& what)
{
    if (how_.to_message)
        return server::told::decision{*how_.to_message};
    if (mute_ || gone_) // a server that has said goodbye keeps nothing
        return server::told::decision{{451, {4, 0, 0}, "too late"}};
    taken_->push_back({name_, what.forward_paths(), content_, wire_});
    if (++taken_here_ == 1 && !how_.at_rest.empty())
        leave_later();
    return server::told::decision{{250, {2, 0, 0}, mark_of(taken_->size() - 1)}};
}

void sim_mail_server::leave_later()
{
    wire_->ground().at(wire_->ground().ground_now() + std::chrono::seconds(2), [self = shared_from_this()] {
        self->wire_->say(self->how_.at_rest);
        self->wire_->close();
    });
}

void sim_mail_server::speak_early()
{
    if (how_.early.empty())
        return;
    wire_->say(std::exchange(how_.early, {}) + "\r\n");
    mute_ = true;
    if (how_.early_closes)
        wire_->close();
}

// Replies one by one, after some thinking.
void sim_mail_server::hand_over(std::string_view replies)
{
    std::string all(replies);
    auto say = [self = shared_from_this(), all = std::move(all)] {
        std::string_view rest = all;
        while (!rest.empty()) {
            std::size_t end = 0, line = 0;
            do {
                line = end;
                end = rest.find("\r\n", line) + 2;
            } while (rest[line + 3] == '-');
            self->say_one(rest.substr(0, end));
            rest.remove_prefix(end);
        }
    };
    after_thinking(std::move(say));
    if (parting_)
        close_when_said();
}

void sim_mail_server::after_thinking(std::function<void()> what)
{
    if (how_.thinking.count() == 0)
        what();
    else
        wire_->ground().at(wire_->ground().ground_now() + how_.thinking, std::move(what));
}

void sim_mail_server::close_when_said()
{
    after_thinking([self = shared_from_this()] {
        if (!self->mute_ || self->how_.fault != reply_fault::endless)
            self->wire_->close();
    });
}

void sim_mail_server::say_one(std::string_view reply)
{
    if (mute_)
        return;
    const bool spoiled = ++replies_ == how_.reply_number && how_.fault != reply_fault::none;
    if (!spoiled || how_.fault == reply_fault::twice) {
        wire_->say(reply);
        for (std::size_t i = 0; i < taken_->size(); ++i)
            if ((*taken_)[i].wire == wire_ && reply.find(mark_of(i)) != std::string_view::npos)
                (*taken_)[i].told_at = wire_->said();
        if (spoiled)
            wire_->say(reply);
        return;
    }
    if (how_.fault == reply_fault::goodbye || how_.fault == reply_fault::goodbye_stay ||
        how_.fault == reply_fault::refusal)
        disown(reply);
    switch (how_.fault) {
    case reply_fault::goodbye:
    case reply_fault::goodbye_stay:
        wire_->say("421 4.3.2 not now\r\n");
        if (how_.fault == reply_fault::goodbye)
            wire_->close();
        break;
    case reply_fault::garbage: wire_->say("!@#$ what?\r\n"); break;
    case reply_fault::half:
        wire_->say(reply.substr(0, reply.size() / 2));
        wire_->close();
        break;
    case reply_fault::refusal: wire_->say("554 5.0.0 no\r\n"); break;
    case reply_fault::endless:
        wire_->say("250-");
        dribble();
        break;
    case reply_fault::never:
    case reply_fault::none:
    case reply_fault::twice: break;
    }
    mute_ = true;
}

// Says no after all to what `reply` accepts: the message is not kept.
void sim_mail_server::disown(std::string_view reply)
{
    for (std::size_t i = 0; i < taken_->size(); ++i)
        if ((*taken_)[i].wire == wire_ && reply.find(mark_of(i)) != std::string_view::npos)
            (*taken_)[i].recipients.clear();
}

void sim_mail_server::dribble()
{
    wire_->ground().at(wire_->ground().ground_now() + std::chrono::seconds(40), [self = shared_from_this()] {
        if (self->gone_)
            return;
        self->wire_->say("x");
        self->dribble();
    });
}

} // namespace postrider::test
