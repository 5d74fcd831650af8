// SPDX-License-Identifier: MIT
// app/log_form_test: what a line looks like, whatever was logged.

#include "app/log_form.hpp"

#include "base/text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

namespace postrider::app {
namespace {

namespace json = boost::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// The local time zone, while this lives.
class time_zone {
public:
    explicit time_zone(const char* zone)
    {
        if (const char* before = std::getenv("TZ"))
            before_ = before;
        set(zone);
    }
    ~time_zone() { set(before_ ? before_->c_str() : nullptr); }
    time_zone(const time_zone&) = delete;
    time_zone& operator=(const time_zone&) = delete;

private:
    static void set(const char* zone)
    {
        if (zone != nullptr)
            setenv("TZ", zone, 1);
        else
            unsetenv("TZ");
        tzset();
    }
    std::optional<std::string> before_;
};

constexpr std::chrono::sys_seconds then{std::chrono::seconds(1795345088)}; // 2026-11-22 10:58:08 UTC

std::string written(spdlog::formatter& form, std::string_view prefix, spdlog::level::level_enum level,
                    std::string_view text, std::chrono::system_clock::time_point when = then)
{
    spdlog::memory_buf_t out;
    form.format({when, {}, {prefix.data(), prefix.size()}, level, {text.data(), text.size()}}, out);
    return {out.data(), out.size()};
}

std::string as_text(std::string_view text, spdlog::level::level_enum level = spdlog::level::info)
{
    const time_zone utc("UTC0");
    return written(*text_form(log_frame::whole), "client", level, text);
}

std::string as_json(std::string_view text, spdlog::level::level_enum level = spdlog::level::info)
{
    return written(*json_form(log_frame::whole), "client", level, text);
}

std::string text_in(const std::string& line) { return std::string(json::parse(line).at("text").as_string()); }

TEST(log_form, text_is_time_prefix_text)
{
    const time_zone utc("UTC0");
    EXPECT_EQ(written(*text_form(log_frame::whole), "smtp_tutorial_client,client", spdlog::level::info,
                      "Sent 1 messages"),
              "2026-11-22T10:58:08+0000 [smtp_tutorial_client,client] Sent 1 messages\n");
}

TEST(log_form, text_has_the_local_time_with_its_offset)
{
    const auto form = text_form(log_frame::whole);
    {
        const time_zone india("<+0530>-5:30");
        EXPECT_THAT(written(*form, "x", spdlog::level::info, "a"),
                    HasSubstr("2026-11-22T16:28:08+0530 [x] a"));
    }
    {
        const time_zone newfoundland("NST3:30");
        EXPECT_THAT(written(*text_form(log_frame::whole), "x", spdlog::level::info, "a"),
                    HasSubstr("2026-11-22T07:28:08-0330 [x] a"));
    }
}

TEST(log_form, each_second_has_its_own_time)
{
    const time_zone utc("UTC0");
    const auto form = text_form(log_frame::whole);
    using namespace std::chrono_literals;
    EXPECT_THAT(written(*form, "x", spdlog::level::info, "a", then + 999ms), HasSubstr("T10:58:08+"));
    EXPECT_THAT(written(*form, "x", spdlog::level::info, "a", then + 1000ms), HasSubstr("T10:58:09+"));
    EXPECT_THAT(written(*form, "x", spdlog::level::info, "a", then - 1ms), HasSubstr("T10:58:07+"));
}

TEST(log_form, text_says_every_level_but_info)
{
    EXPECT_EQ(as_text("fine", spdlog::level::debug), "2026-11-22T10:58:08+0000 [client] debug: fine\n");
    EXPECT_EQ(as_text("fine", spdlog::level::warn), "2026-11-22T10:58:08+0000 [client] warning: fine\n");
    EXPECT_EQ(as_text("fine", spdlog::level::err), "2026-11-22T10:58:08+0000 [client] error: fine\n");
}

TEST(log_form, text_escapes_what_a_terminal_would_obey)
{
    const auto text_of = [](std::string_view text) {
        const auto line = as_text(text);
        constexpr std::size_t head = std::string_view("2026-11-22T10:58:08+0000 [client] ").size();
        return line.substr(head, line.size() - head - 1);
    };
    EXPECT_EQ(text_of("a\r\nb"), "a\\r\\nb");
    EXPECT_EQ(text_of(std::string_view("\0", 1)), "\\x00");
    EXPECT_EQ(text_of("\x1b[2J\x07\x7f\t"), "\\x1b[2J\\x07\\x7f\\t");
    EXPECT_EQ(text_of("\xc2\x9b"
                      "2J"),
              "\\xc2\\x9b2J"); // CSI as one C1 control
    EXPECT_EQ(text_of("a\xe2\x80\xae"
                      "b"),
              "a\\xe2\\x80\\xae"
              "b");                                        // right-to-left override
    EXPECT_EQ(text_of("\xe2\x80\xa8"), "\\xe2\\x80\\xa8"); // line separator
    EXPECT_EQ(text_of("\xff\xc3"), "\\xff\\xc3");
}

TEST(log_form, text_leaves_what_can_be_read)
{
    EXPECT_THAT(as_text("Grüße, 世界 🐎"), EndsWith("Grüße, 世界 🐎\n"));
    EXPECT_THAT(as_text("said \"no\" \\x1b"), EndsWith("said \"no\" \\x1b\n")); // escaped once already
}

TEST(log_form, text_is_cut_at_8_kibibytes)
{
    const auto empty = as_text("").size();
    const auto fits = std::string(log_line_octets_max - empty, 'x');
    EXPECT_EQ(as_text(fits).size(), log_line_octets_max);
    EXPECT_THAT(as_text(fits), EndsWith("xxxx\n"));

    const auto cut = as_text(fits + "x");
    EXPECT_EQ(cut.size(), log_line_octets_max);
    EXPECT_THAT(cut, EndsWith("x...\n"));
    EXPECT_EQ(as_text(std::string(1'000'000, 'x')), cut);
}

TEST(log_form, no_unit_is_halved_by_the_cut)
{
    for (std::size_t lead = 0; lead < 8; ++lead) {
        std::string text(lead, 'x'), escapes(lead, 'x');
        for (int i = 0; i < 4000; ++i) {
            text += "世";
            escapes += "\x1b";
        }
        const auto line = as_text(text);
        EXPECT_LE(line.size(), log_line_octets_max);
        EXPECT_TRUE(base::is_utf8(line));
        EXPECT_THAT(line, EndsWith("世...\n"));
        EXPECT_THAT(as_text(escapes), EndsWith("\\x1b...\n"));
    }
}

TEST(log_form, a_long_prefix_leaves_room_for_the_text)
{
    const time_zone utc("UTC0");
    for (const auto& form : {text_form(log_frame::whole), json_form(log_frame::whole)}) {
        const auto line = written(*form, std::string(100'000, 'p'), spdlog::level::info, "the words");
        EXPECT_LE(line.size(), log_line_octets_max);
        EXPECT_THAT(line, HasSubstr("p..."));
        EXPECT_THAT(line, HasSubstr("the words"));
    }
}

TEST(log_form, json_has_four_members)
{
    using namespace std::chrono_literals;
    const auto form = json_form(log_frame::whole);
    EXPECT_EQ(written(*form, "client", spdlog::level::warn, "slow", then + 1234us),
              "{\"time\":\"2026-11-22T10:58:08.001234Z\",\"level\":\"warning\",\"prefix\":\"client\","
              "\"text\":\"slow\"}\n");
}

TEST(log_form, json_has_universal_time_wherever_it_runs)
{
    const time_zone india("<+0530>-5:30");
    EXPECT_THAT(as_json("x"), HasSubstr("\"2026-11-22T10:58:08.000000Z\""));
}

TEST(log_form, json_keeps_all_of_utf_8)
{
    std::string all;
    for (int c = 0; c < 0x80; ++c)
        all += static_cast<char>(c);
    all += "Grüße \xc2\x9b \xe2\x80\xae \xe2\x80\xa8 世界 🐎";
    const auto line = as_json(all);
    EXPECT_EQ(text_in(line), all);
    for (const char c : line.substr(0, line.size() - 1))
        EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    EXPECT_THAT(line, Not(HasSubstr("\xe2\x80\xae"))); // nor does it turn the line around
    EXPECT_THAT(line, Not(HasSubstr("\xc2\x9b")));
}

TEST(log_form, json_replaces_what_is_not_utf_8)
{
    EXPECT_EQ(text_in(as_json("a\xff"
                              "b\xc3")),
              "a\xef\xbf\xbd"
              "b\xef\xbf\xbd");
    EXPECT_EQ(text_in(as_json("\xed\xa0\x80")), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); // a surrogate
}

TEST(log_form, any_octets_make_one_valid_line)
{
    std::mt19937 random(20261122); // NOLINT: the same octets each time
    std::uniform_int_distribution<int> octet(0, 255), size(0, 3000);
    for (int round = 0; round < 300; ++round) {
        std::string octets(static_cast<std::size_t>(size(random)), '\0');
        for (auto& c : octets)
            c = static_cast<char>(octet(random));
        for (const auto& line : {as_json(octets), as_text(octets)}) {
            ASSERT_LE(line.size(), log_line_octets_max);
            ASSERT_EQ(line.find('\n'), line.size() - 1);
            ASSERT_TRUE(base::is_utf8(line));
        }
        ASSERT_NO_THROW(json::parse(as_json(octets))) << round;
    }
}

TEST(log_form, json_is_valid_where_it_is_cut)
{
    for (const std::string_view unit : {"\"", "\\", "\x01", "x", "世", "\xff"}) {
        for (std::size_t lead = 0; lead < 8; ++lead) {
            std::string text(lead, 'x');
            while (text.size() < 10'000)
                text += unit;
            const auto line = as_json(text);
            EXPECT_LE(line.size(), log_line_octets_max);
            EXPECT_THAT(text_in(line), EndsWith("..."));
        }
    }
}

TEST(log_form, syslog_adds_the_time_itself)
{
    EXPECT_EQ(written(*text_form(log_frame::for_syslog), "client", spdlog::level::err, "lost"),
              "[client] error: lost");
    EXPECT_THAT(written(*json_form(log_frame::for_syslog), "client", spdlog::level::err, "lost"),
                EndsWith("\"lost\"}"));
}

TEST(log_form, a_copy_writes_the_same)
{
    EXPECT_EQ(written(*text_form(log_frame::whole)->clone(), "client", spdlog::level::info, "hello"),
              written(*text_form(log_frame::whole), "client", spdlog::level::info, "hello"));
    EXPECT_EQ(written(*json_form(log_frame::whole)->clone(), "client", spdlog::level::info, "hello"),
              as_json("hello"));
}

} // namespace
} // namespace postrider::app
