// SPDX-License-Identifier: MIT
#pragma once
// delivery/turns: so many pieces of work at a time, and everybody who has some in turn.
//
// A mailer's connections are bounded for all its operations together. Each operation waits here with
// all of its groups and starts one when it is its turn, so that one message does not stand behind ten
// thousand that were there before it. One thread, or one strand.

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

namespace postrider::delivery {

class turn_taker {
public:
    virtual ~turn_taker() = default;
    virtual std::size_t waiting() const = 0; ///< pieces of work that have not been started
    virtual void take_turn() = 0;            ///< starts one, which ends by turns::give_back()
    virtual void give_up() = 0;              ///< ends the operation
};

class turns {
public:
    explicit turns(std::size_t max) : max_(max) {}

    void ask(std::shared_ptr<turn_taker> who)
    {
        waiting_.push_back(std::move(who));
        start_who_waits();
    }

    void give_back()
    {
        --taken_;
        start_who_waits();
    }

    /// Takes all who wait out of the queue.
    std::deque<std::shared_ptr<turn_taker>> dismiss() { return std::exchange(waiting_, {}); }

private:
    void start_who_waits()
    {
        while (taken_ < max_ && !waiting_.empty()) {
            const std::shared_ptr<turn_taker> who = std::move(waiting_.front());
            waiting_.pop_front();
            if (who->waiting() == 0)
                continue; // it was cancelled, and has started everything without a place
            ++taken_;
            who->take_turn();
            if (who->waiting() > 0)
                waiting_.push_back(who);
        }
    }

    std::size_t max_, taken_ = 0;
    std::deque<std::shared_ptr<turn_taker>> waiting_;
};

} // namespace postrider::delivery
