// SPDX-License-Identifier: MIT
#pragma once
// unit/app/noted_protocol: a protocol that writes down what it is told, and does what a test wants then.

#include "postrider/app/factory.hpp"
#include "postrider/app/loop.hpp"
#include "postrider/app/protocol.hpp"
#include "unit/app/service_stage.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::test {

/// What the protocols of one test do, and what they were told.
struct script_of_protocols {
    using step = std::function<void(app::protocol&)>;
    step when_made, when_data, when_paused, when_resumed, when_stopped, when_lost; ///< may throw
    bool stops_at_once = true; ///< loses its connection when it is asked to stop

    diary notes; ///< "made", "data", "paused", "resumed", "stop", "lost: SENTENCE"
    std::string heard;
    std::vector<app::reason> reasons;
    std::weak_ptr<app::protocol> last;
};

class noted_protocol final : public app::protocol {
public:
    explicit noted_protocol(script_of_protocols& script) : script_(script) {}

    void connection_made() override
    {
        script_.last = weak_from_this();
        note("made", script_.when_made);
    }
    void data_received(std::string_view octets) override
    {
        script_.heard += octets;
        if (script_.notes.empty() || script_.notes.back() != "data")
            script_.notes.emplace_back("data");
        if (script_.when_data)
            script_.when_data(*this);
    }
    void connection_lost(const app::reason& why) override
    {
        script_.reasons.push_back(why);
        note("lost: " + why.sentence(), script_.when_lost);
    }
    void writing_paused() override { note("paused", script_.when_paused); }
    void writing_resumed() override { note("resumed", script_.when_resumed); }
    void stop_requested() override
    {
        note("stop", script_.when_stopped);
        if (script_.stops_at_once)
            app::protocol::stop_requested();
    }
    std::string log_prefix() const override { return "noted"; }

private:
    void note(std::string what, const script_of_protocols::step& then)
    {
        script_.notes.push_back(std::move(what));
        if (then)
            then(*this);
    }

    script_of_protocols& script_;
};

} // namespace postrider::test
