// SPDX-License-Identifier: MIT
// app/log_syslog_test: what syslogd is told. Its three functions are played by this file.

#include "app/log_output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdarg>
#include <cstdio>
#include <string>
#include <syslog.h>
#include <vector>

namespace {

std::vector<std::string>& told()
{
    static std::vector<std::string> all;
    return all;
}

} // namespace

extern "C" {
void openlog(const char* ident, int, int facility)
{
    told().push_back(std::string("open ") + (ident != nullptr ? ident : "(program)") +
                     (facility == LOG_MAIL ? " mail" : " other"));
}
void closelog() { told().emplace_back("close"); }
void syslog(int priority, const char* format, ...)
{
    char text[512];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    told().push_back(std::to_string(priority) + " " + text);
}
}

namespace postrider::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class log_syslog : public testing::Test {
protected:
    log_syslog() { told().clear(); }
    ~log_syslog() override { open_log({}); }

    static void open(std::string prefix, bool json = false)
    {
        open_log({.what = log_destination::kind::syslog,
                  .path = {},
                  .syslog_prefix = std::move(prefix),
                  .json = json,
                  .least = log_level::debug});
    }
};

TEST_F(log_syslog, is_told_the_level_and_all_but_the_time)
{
    open("postrider");
    const logger log("client");
    log.debug("a");
    log.info("b");
    log.warning("100 %s\r\n");
    log.error("d");
    EXPECT_THAT(told(), ElementsAre("open postrider mail", std::to_string(LOG_DEBUG) + " [client] debug: a",
                                    std::to_string(LOG_INFO) + " [client] b",
                                    std::to_string(LOG_WARNING) + " [client] warning: 100 %s\\r\\n",
                                    std::to_string(LOG_ERR) + " [client] error: d"));
}

TEST_F(log_syslog, is_left_before_it_is_opened_again)
{
    open("one");
    open("");
    EXPECT_THAT(told(), ElementsAre("open one mail", "close", "open (program) mail"));
}

TEST_F(log_syslog, takes_json_too)
{
    open("one", true);
    logger("client").info("b");
    EXPECT_THAT(told().back(), HasSubstr(R"("level":"info","prefix":"client","text":"b"})"));
}

TEST_F(log_syslog, is_no_file)
{
    open("one");
    rotate_log();
    reopen_log();
    give_log_to(0, 0);
    EXPECT_THAT(told(), ElementsAre("open one mail"));
}

} // namespace
} // namespace postrider::app
