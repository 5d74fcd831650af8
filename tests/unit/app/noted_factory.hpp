// SPDX-License-Identifier: MIT
#pragma once
// unit/app/noted_factory: a client's factory that writes down what becomes of its attempts.

#include "postrider/app/factory.hpp"
#include "unit/app/noted_protocol.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postrider::test {

/// Notes "started", "connecting", "failed: SENTENCE", "connection lost: SENTENCE", "stopped" among the notes
/// of its protocols. `Base`: the factory whose behaviour it keeps.
template <class Base = app::client_factory>
class noted_client_factory : public Base {
public:
    using step = std::function<void(app::connector&)>;

    template <class... Arguments>
    explicit noted_client_factory(script_of_protocols& script, Arguments... arguments)
        : Base(arguments...), script_(script)
    {
    }

    step when_connecting, when_failed, when_lost;
    std::vector<app::reason> failures;

    std::shared_ptr<app::protocol> build_protocol(const std::string&) override
    {
        return std::make_shared<noted_protocol>(script_);
    }
    void started() override { script_.notes.emplace_back("started"); }
    void stopped() override { script_.notes.emplace_back("stopped"); }
    void started_connecting(app::connector& which) override
    {
        script_.notes.emplace_back("connecting");
        act(when_connecting, which);
    }
    void connection_failed(app::connector& which, const app::reason& why) override
    {
        script_.notes.push_back("failed: " + why.sentence());
        failures.push_back(why);
        act(when_failed, which);
        Base::connection_failed(which, why);
    }
    void connection_lost(app::connector& which, const app::reason& why) override
    {
        script_.notes.push_back("connection " + ("lost: " + why.sentence()));
        act(when_lost, which);
        Base::connection_lost(which, why);
    }
    std::string log_prefix() const override { return "makes"; }

private:
    static void act(const step& what, app::connector& which)
    {
        if (what)
            what(which);
    }

    script_of_protocols& script_;
};

} // namespace postrider::test
