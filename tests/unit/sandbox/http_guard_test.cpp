// SPDX-License-Identifier: MIT
// sandbox/http_guard: who may ask, and who only makes a browser ask.

#include "sandbox/http_guard.hpp"

#include <gtest/gtest.h>

namespace postrider::sandbox {
namespace {

TEST(http_guard, knows_this_machines_names)
{
    for (const auto* host : {"127.0.0.1", "127.0.0.1:8025", "localhost", "LOCALHOST:80", "[::1]",
                             "[::1]:65535", "127.0.0.9", "127.0.0.9:1"})
        EXPECT_TRUE(is_own_host(host, "127.0.0.9")) << host;
}

TEST(http_guard, refuses_every_other_name)
{
    for (const auto* host :
         {"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80",
          "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:123456", "127.0.0.1 :80", "user@localhost",
          "localhost:80@evil.example", "::1", "[::1", "127.1", "127.0.0.2", "localhost."})
        EXPECT_FALSE(is_own_host(host, "127.0.0.1")) << host;
}

TEST(http_guard, lets_programs_and_its_own_page_pass)
{
    const auto* host = "127.0.0.1:8025";
    EXPECT_TRUE(is_own_request(host, "", ""));
    EXPECT_TRUE(is_own_request(host, "http://127.0.0.1:8025", "same-origin"));
    EXPECT_TRUE(is_own_request(host, "", "same-origin"));
    EXPECT_TRUE(is_own_request(host, "", "none"));
    EXPECT_TRUE(is_own_request(host, "http://127.0.0.1:8025", ""));
}

TEST(http_guard, refuses_requests_that_other_pages_made)
{
    const auto* host = "127.0.0.1:8025";
    EXPECT_FALSE(is_own_request(host, "", "cross-site"));
    EXPECT_FALSE(is_own_request(host, "", "same-site")); // another port of this machine
    EXPECT_FALSE(is_own_request(host, "https://evil.example", ""));
    EXPECT_FALSE(is_own_request(host, "http://127.0.0.1:3000", ""));
    EXPECT_FALSE(is_own_request(host, "https://127.0.0.1:8025", ""));
    EXPECT_FALSE(is_own_request(host, "null", ""));
    EXPECT_FALSE(is_own_request(host, "https://evil.example", "same-origin"));
}

} // namespace
} // namespace postrider::sandbox
