// SPDX-License-Identifier: MIT
// unit/delivery/esmtp_transcript: the transcripts of tests/conformance, spoken by the callback client.
//
// The session is played there, octet by octet; here it is seen that nothing gets lost between it and the
// program: what every recipient of every message comes to is what the transcript says.

#include "support/transcript.hpp"
#include "unit/delivery/esmtp_stage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace postrider::test {
namespace {

transcript read(const std::filesystem::path& path)
{
    std::ifstream file(path);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    return transcript::parse(text);
}

// Where it matters what had left when the server spoke or went: the simulated wire takes a small message
// and its end in one piece.
constexpr std::array told_to_the_octet{
    "rfc5321-3.8-lost-before-the-lone-dot",
    "rfc5321-4.3.1-",
    "rfc5321-4.5.3.2.5-body-times-out",
    "rfc6152-2-", // and what is known of a body is known here
    "rfc6152-3-",
};

bool is_told_to_the_octet(const std::filesystem::path& path)
{
    const std::string name = path.filename().string();
    return std::any_of(told_to_the_octet.begin(), told_to_the_octet.end(),
                       [&](const char* beginning) { return name.starts_with(beginning); });
}

// Not those where a caller does what a program of callbacks cannot: submit several at once, cancel.
bool can_be_spoken(const transcript& script)
{
    const bool has_other_events =
        std::any_of(script.steps.begin(), script.steps.end(), [](const transcript::step& s) {
            return s.who == '!' && s.text != "connection lost" && s.text != "timed out";
        });
    return !script.together && !script.stay && !has_other_events;
}

std::vector<std::filesystem::path> scripts()
{
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(POSTRIDER_SOURCE_DIR "/tests/conformance"))
        if (entry.path().extension() == ".transcript" && !is_told_to_the_octet(entry.path()) &&
            can_be_spoken(read(entry.path())))
            found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

std::string name_of(const std::filesystem::path& path)
{
    std::string name = path.stem().string();
    std::replace_if(name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
    return name;
}

// What a server says once it has heard what comes before. After "timed out" nothing more.
std::vector<sim_script::step> server_of(const transcript& script)
{
    std::vector<sim_script::step> steps;
    std::string heard, said;
    const auto add = [&](bool close) {
        steps.push_back({std::exchange(heard, {}), std::exchange(said, {}), close});
    };
    for (const transcript::step& s : script.steps) {
        if (s.who == 'C') {
            if (!said.empty())
                add(false);
            heard += s.text;
        } else if (s.who == 'S') {
            said += s.text;
        } else {
            add(s.text == "connection lost");
            return steps;
        }
    }
    add(true);
    return steps;
}

class esmtp_transcript : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(esmtp_transcript, comes_to_what_it_says)
{
    const transcript script = read(GetParam());
    esmtp_stage stage;
    const std::size_t mails = script.messages.size();
    const auto now = [&]() -> const transcript::message& {
        return script.messages[mails - 1 - stage.plan.mails];
    };
    stage.plan.mails = mails;
    stage.plan.from = [&] {
        const auto& path = now().envelope.reverse_path;
        return std::optional<std::string>(path ? path->to_string(true) : "");
    };
    stage.plan.to = [&] {
        std::vector<std::string> all;
        for (const address& a : now().envelope.recipients)
            all.push_back(a.to_string(true));
        return all;
    };
    stage.plan.content = [&] { return body(now().text); };
    stage.script = std::make_shared<sim_script>(server_of(script));
    stage.begin<planned_client>(stage.script, sim_line(), stage.plan,
                                settings().pipelining(script.pipelining), "relay.example");
    ASSERT_TRUE(stage.run());
    EXPECT_EQ(stage.plan.reports.size(), mails - stage.plan.mails);

    std::size_t at = 0;
    for (const auto& report : stage.plan.reports)
        for (const recipient_report& r : report) {
            ASSERT_LT(at, script.outcomes.size());
            const transcript::expected& e = script.outcomes[at++];
            EXPECT_EQ(to_string(r.verdict), to_string(e.verdict)) << "line " << e.line << ": " << r.why;
            if (e.code) {
                EXPECT_TRUE(r.said && r.said->code() == *e.code) << "line " << e.line << ": " << r.why;
            }
        }
    if (!script.failure) {
        EXPECT_EQ(at, script.outcomes.size()) << "a message was not sent though nothing broke";
    }
}

INSTANTIATE_TEST_SUITE_P(rfc, esmtp_transcript, testing::ValuesIn(scripts()),
                         [](const auto& script) { return name_of(script.param); });

} // namespace
} // namespace postrider::test
