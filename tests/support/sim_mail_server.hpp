// SPDX-License-Identifier: MIT
#pragma once
// support/sim_mail_server: a mail exchanger of the simulated network, honest or not.
//
// It speaks through smtp::server_session, the receiving side of the project's own core, and takes
// mail as its manners say. What is wrong with it is done to its replies on their way out, or to its
// hearing, so that what it has really taken is always known: the ledger has every message that a
// server took responsibility for, and whether the client has read the reply that said so.

#include "smtp/server_session.hpp"
#include "support/sim_wire.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postrider::test {

/// A message that a server has taken.
struct taken_message {
    std::string server;
    std::vector<std::string> recipients; ///< "bob@example.org"
    std::string content;
    const sim_wire* wire;
    std::uint64_t told_at = 0; ///< octets that the client must have read to know of it; 0: was never told

    bool was_told() const { return told_at > 0 && wire->consumed() >= told_at; }
};
using ledger = std::vector<taken_message>;

/// What is done to one reply, counted from 1, the greeting.
enum class reply_fault {
    none,
    goodbye,      ///< 421 in its place, and the connection is closed
    goodbye_stay, ///< 421 in its place, and the connection stays
    twice,        ///< said two times
    never,        ///< not said, nor anything after it
    garbage,      ///< octets that are no reply
    half,         ///< its first octets, and the connection is closed
    endless,      ///< lines that go on, one octet at a time, for ever
    refusal,      ///< 554 in its place
};

struct sim_manners {
    smtp::server_options options;
    std::chrono::milliseconds thinking{0}; ///< before each write
    std::size_t reply_number = 0;          ///< of the reply that something is done to; 0: none
    reply_fault fault = reply_fault::none;
    std::string early; ///< said when the body begins to come: "552 5.3.4 too big"
    bool early_closes = false;
    std::size_t messages_max = 0; ///< 421 to the next MAIL, and the end; 0: no limit
    std::string at_rest;          ///< said, and closed, so long after a message was taken
    std::function<std::optional<smtp::server::answer>(const std::string& recipient)> to_recipient;
    std::optional<smtp::server::answer> to_message; ///< in place of taking it
};

class sim_mail_server final : public sim_peer, public std::enable_shared_from_this<sim_mail_server> {
public:
    sim_mail_server(std::string name, sim_manners how, std::shared_ptr<ledger> taken);

    void on_open(sim_wire& wire) override;
    void on_octets(std::string_view octets) override;
    void on_closed() override;

    const std::string& heard() const noexcept { return heard_; } ///< all octets that came

private:
    using next_event = std::optional<smtp::server::event>;

    void perform(smtp::server::event what);
    next_event on_ask(const smtp::server::ask::receive& a);
    next_event on_ask(const smtp::server::ask::send& a);
    next_event on_ask(const smtp::server::ask::sender& a);
    next_event on_ask(const smtp::server::ask::recipient& a);
    next_event on_ask(const smtp::server::ask::begin& a);
    next_event on_ask(const smtp::server::ask::content& a);
    next_event on_ask(const smtp::server::ask::complete& a);
    next_event on_ask(const smtp::server::ask::close& a);
    smtp::server::event take(const smtp::server::transaction& what);
    void hand_over(std::string_view replies);
    void say_one(std::string_view reply);
    void disown(std::string_view reply);
    void dribble();
    void speak_early();
    void leave_later();
    void after_thinking(std::function<void()> what);
    void close_when_said();

    std::string name_;
    sim_manners how_;
    std::shared_ptr<ledger> taken_;
    smtp::server_session session_;
    sim_wire* wire_ = nullptr;
    std::string heard_, waiting_, running_, content_;
    std::size_t replies_ = 0, messages_ = 0, taken_here_ = 0;
    bool listening_ = false, mute_ = false, gone_ = false, parting_ = false;
};

} // namespace postrider::test
