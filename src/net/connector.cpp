// SPDX-License-Identifier: MIT
// net/connector: the race.

#include "net/connector.hpp"

#include "net/complete.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace postrider::net {
namespace {

class race : public std::enable_shared_from_this<race> {
public:
    race(std::shared_ptr<environment> world, std::string host, std::vector<endpoint> places,
         connect_limits limits, connect_result_handler done)
        : world_(std::move(world)), host_(std::move(host)), places_(std::move(places)), limits_(limits),
          done_(std::move(done)), attempts_(places_.size())
    {
    }

    void begin()
    {
        auto slot = asio::get_associated_cancellation_slot(done_);
        if (slot.is_connected())
            slot.assign([weak = weak_from_this()](asio::cancellation_type) {
                if (auto self = weak.lock())
                    asio::post(self->world_->executor(), [self] { self->on_cancel(); });
            });
        started_ = world_->now();
        next();
    }

private:
    struct attempt {
        asio::cancellation_signal stop;
        time_point started, deadline = time_point::max();
        bool under_way = false;
        std::optional<error> because; // we ended it ourselves
    };

    void next()
    {
        if (next_ == places_.size())
            return;
        const std::size_t i = next_++;
        attempt& a = attempts_[i];
        a.under_way = true;
        ++running_;
        a.started = world_->now();
        turn_ = a.started + limits_.head_start;
        a.deadline = std::min<time_point>(a.started + limits_.each, started_ + limits_.total);
        auto connected = [self = shared_from_this(), i](error_code ec, std::unique_ptr<stream> made) {
            self->on_connected(i, ec, std::move(made));
        };
        world_->connect(places_[i], asio::bind_cancellation_slot(a.stop.slot(), std::move(connected)));
        set_alarm();
    }

    void on_connected(std::size_t i, error_code ec, std::unique_ptr<stream> made)
    {
        attempt& a = attempts_[i];
        a.under_way = false;
        --running_;
        if (!done_)
            return;
        if (!ec && !a.because) {
            result_.made = std::move(made);
            finish();
            return;
        }
        const std::error_code why = a.because ? make_error_code(*a.because) : std::error_code(ec);
        const auto waited = std::chrono::duration_cast<std::chrono::seconds>(world_->now() - a.started);
        result_.failures.push_back({host_, places_[i].to_string(), why, waited});
        if (out_of_time() || (next_ == places_.size() && running_ == 0))
            finish_if_idle();
        else if (running_ == 0 || i + 1 == next_)
            next(); // an older one that fails now has given its turn away already
    }

    bool out_of_time() const { return world_->now() >= started_ + limits_.total; }

    void finish_if_idle()
    {
        if (running_ == 0)
            finish();
    }

    // One wait for whatever comes first: somebody's deadline, or the next one's turn.
    void set_alarm()
    {
        time_point first = next_ < places_.size() && !out_of_time() ? turn_ : time_point::max();
        for (const attempt& a : attempts_)
            if (a.under_way)
                first = std::min(first, a.deadline);
        alarm_.emit(asio::cancellation_type::all);
        if (first == time_point::max())
            return;
        auto woken = [self = shared_from_this(), number = ++alarm_number_](error_code ec) {
            if (!ec && number == self->alarm_number_ && self->done_)
                self->on_alarm();
        };
        world_->wait_until(first, asio::bind_cancellation_slot(alarm_.slot(), std::move(woken)));
    }

    void on_alarm()
    {
        const time_point now = world_->now();
        for (attempt& a : attempts_) {
            if (a.under_way && !a.because && now >= a.deadline) {
                a.because = error::timed_out;
                a.deadline = time_point::max();
                a.stop.emit(asio::cancellation_type::all);
            }
        }
        if (!out_of_time() && next_ < places_.size() && now >= turn_)
            next();
        else
            set_alarm();
    }

    void on_cancel()
    {
        if (!done_)
            return;
        result_.cancelled = true;
        finish();
    }

    void finish()
    {
        ++alarm_number_;
        alarm_.emit(asio::cancellation_type::all);
        for (attempt& a : attempts_)
            if (a.under_way)
                a.stop.emit(asio::cancellation_type::all);
        complete_later(world_->executor(), std::exchange(done_, nullptr), std::move(result_));
    }

    std::shared_ptr<environment> world_;
    std::string host_;
    std::vector<endpoint> places_;
    connect_limits limits_;
    connect_result_handler done_;
    std::vector<attempt> attempts_;
    connect_result result_;
    asio::cancellation_signal alarm_;
    std::uint64_t alarm_number_ = 0;
    std::size_t next_ = 0, running_ = 0;
    time_point started_, turn_;
};

} // namespace

void connect_any(std::shared_ptr<environment> world, std::string host, std::vector<endpoint> places,
                 connect_limits limits, connect_result_handler done)
{
    if (places.empty()) {
        const auto executor = world->executor();
        complete_later(executor, std::move(done), connect_result());
        return;
    }
    std::make_shared<race>(std::move(world), std::move(host), std::move(places), limits, std::move(done))
        ->begin();
}

} // namespace postrider::net
