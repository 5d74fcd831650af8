// SPDX-License-Identifier: MIT
// sandbox/world: which exchangers a zone file makes, and which of them listen.

#include "sandbox/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postrider::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> exchangers(const char* text)
{
    const result<world> read = parse_world(text);
    if (!read)
        return {read.problem().what};
    std::vector<std::string> all;
    for (const exchanger& e : read->exchangers) {
        std::string one = e.name + (e.listens ? "" : " down");
        for (const asio::ip::address& address : e.addresses)
            one += " " + address.to_string();
        all.push_back(one);
    }
    return all;
}

std::string problem_of(const char* text)
{
    const result<world> read = parse_world(text);
    return read ? "none" : read.problem().what;
}

TEST(world, has_an_exchanger_for_each_host_with_an_address)
{
    EXPECT_THAT(exchangers("a.example MX 10 mx.a.example\nmx.a.example A 127.0.0.2\nmx.a.example AAAA ::1\n"),
                ElementsAre("mx.a.example 127.0.0.2 ::1"));
    EXPECT_THAT(exchangers("direct.example A 127.0.0.2\n"), ElementsAre("direct.example 127.0.0.2"));
    EXPECT_THAT(exchangers("a.example MX 10 nowhere.example\na.example TXT \"x\"\n"), IsEmpty());
    EXPECT_THAT(exchangers("*.example A 127.0.0.2\n"), IsEmpty());
    EXPECT_THAT(exchangers(""), IsEmpty());
}

TEST(world, does_not_listen_on_hosts_that_are_down)
{
    EXPECT_THAT(exchangers("mx.a.example DOWN ; for repair\nmx.a.example A 127.0.0.2\n"),
                ElementsAre("mx.a.example down 127.0.0.2"));
    EXPECT_THAT(exchangers("mx.a.example A 127.0.0.2\n\tMX.a.example.  down  # at night\r\n"),
                ElementsAre("mx.a.example down 127.0.0.2"));
}

TEST(world, does_not_listen_outside_loopback)
{
    EXPECT_THAT(exchangers("mx.a.example A 192.0.2.1\n"), ElementsAre("mx.a.example down 192.0.2.1"));
    const result<world> both = parse_world("mx.a.example A 192.0.2.1\nmx.a.example A 127.0.0.2\n");
    ASSERT_TRUE(both);
    EXPECT_TRUE(both->exchangers.front().listens);
    EXPECT_THAT(both->exchangers.front().loopback_addresses(),
                ElementsAre(asio::ip::make_address("127.0.0.2")));
}

TEST(world, names_the_line_of_a_problem)
{
    EXPECT_THAT(problem_of("\nmx.a.example DOWN\n"),
                HasSubstr("line 2: mx.a.example is DOWN but has no address"));
    EXPECT_THAT(problem_of("a.example A 127.0.0.2\n\na..example DOWN\n"), HasSubstr("line 3: "));
    EXPECT_THAT(problem_of("a.example A 127.0.0.2\na.example DOWN\na.example MX mx\n"),
                HasSubstr("line 3: "));
    EXPECT_THAT(problem_of("a.example TXT DOWN\n"), "none") << "three words are a record";
}

TEST(world, gives_each_exchanger_an_address_of_its_own)
{
    EXPECT_THAT(problem_of("a.example A 127.0.0.2\nb.example A 127.0.0.2\n"),
                HasSubstr("127.0.0.2 is the address of a.example and of b.example"));
}

TEST(world, knows_where_a_first_message_may_go)
{
    const auto sample = [](const char* text) {
        const world::sample s = parse_world(text).value().to_try();
        return s.domain + " " + s.host;
    };
    EXPECT_EQ(sample("a.example MX 10 mx.a.example\nmx.a.example A 127.0.0.2\n"
                     "b.example MX 10 mx1.b.example\nb.example MX 20 MX2.b.example\n"
                     "mx1.b.example A 127.0.0.3\nmx2.b.example A 127.0.0.4\nmx1.b.example DOWN\n"),
              "b.example mx2.b.example");
    EXPECT_EQ(sample("c.example A 127.0.0.2\n"), "c.example c.example");
    EXPECT_EQ(sample("c.example A 127.0.0.2\nc.example DOWN\n"), " ");
}

TEST(world, has_a_default_that_can_be_read)
{
    const result<world> read = parse_world(default_world());
    ASSERT_TRUE(read) << read.problem().what;
    EXPECT_EQ(read->to_try().domain, "example.org");
    EXPECT_EQ(read->to_try().host, "mx2.example.org");
}

} // namespace
} // namespace postrider::sandbox
