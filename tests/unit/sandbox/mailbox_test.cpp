// SPDX-License-Identifier: MIT
// sandbox/mailbox: what it keeps, what it lets go, what a search finds.

#include "sandbox/mailbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postrider::sandbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

captured_message message(std::string content)
{
    captured_message made;
    made.exchanger = "mx1.example.org";
    made.reverse_path = "ann@example.com";
    made.forward_paths = {"bob@example.org", "carol@example.org"};
    made.content = std::move(content);
    return made;
}

std::vector<std::uint64_t> ids(const mailbox& box, std::string_view words, std::size_t limit = 200)
{
    std::vector<std::uint64_t> found;
    for (const auto& each : box.search(words, limit))
        found.push_back(each->id);
    return found;
}

TEST(mailbox, counts_ids_from_one_and_never_uses_one_again)
{
    mailbox box;
    EXPECT_EQ(box.add(message("a")), 1u);
    EXPECT_EQ(box.add(message("b")), 2u);
    EXPECT_TRUE(box.erase(2));
    EXPECT_FALSE(box.erase(2));
    box.clear();
    EXPECT_EQ(box.add(message("c")), 3u);
    EXPECT_EQ(box.find(3)->content, "c");
    EXPECT_EQ(box.find(3)->id, 3u);
    EXPECT_EQ(box.find(2), nullptr);
    EXPECT_EQ(box.size(), 1u);
}

TEST(mailbox, lets_the_oldest_go_beyond_its_number_of_messages)
{
    mailbox box(3);
    for (int i = 0; i < 5; ++i)
        box.add(message("text"));
    EXPECT_THAT(ids(box, ""), ElementsAre(5, 4, 3));
}

TEST(mailbox, lets_the_oldest_go_beyond_its_octets)
{
    mailbox box(1000, 10'000);
    for (int i = 0; i < 3; ++i)
        box.add(message(std::string(4000, 'x')));
    EXPECT_THAT(ids(box, ""), ElementsAre(3, 2));
    box.add(message(std::string(20'000, 'x')));
    EXPECT_EQ(box.size(), 0u);
    box.add(message("small"));
    EXPECT_THAT(ids(box, ""), ElementsAre(5));
}

TEST(mailbox, counts_the_octets_of_conversations_too)
{
    mailbox box(1000, 10'000);
    auto talkative = message("short");
    talkative.conversation.assign(2000, {'C', "NOOP"});
    box.add(std::move(talkative));
    EXPECT_EQ(box.size(), 0u);
}

TEST(mailbox, frees_the_octets_of_what_is_erased)
{
    mailbox box(1000, 10'000);
    for (int i = 0; i < 10; ++i)
        box.erase(box.add(message(std::string(8000, 'x'))));
    box.add(message(std::string(8000, 'x')));
    EXPECT_EQ(box.size(), 1u);
    box.clear();
    box.add(message(std::string(8000, 'x')));
    EXPECT_EQ(box.size(), 1u);
}

TEST(mailbox, searches_envelope_fields_and_text)
{
    mailbox box;
    box.add(message("Subject: invoice\r\nX-Tag: blue\r\n\r\nthe cheese\r\n"));
    box.add(message("Subject: hello\r\n\r\nthe wine\r\n"));
    EXPECT_THAT(ids(box, "the"), ElementsAre(2, 1));
    EXPECT_THAT(ids(box, "cheese"), ElementsAre(1));
    EXPECT_THAT(ids(box, "blue"), ElementsAre(1));
    EXPECT_THAT(ids(box, "carol@"), ElementsAre(2, 1));
    EXPECT_THAT(ids(box, "mx1.example.org wine"), ElementsAre(2));
    EXPECT_THAT(ids(box, "cheese wine"), IsEmpty());
    EXPECT_THAT(ids(box, "  "), ElementsAre(2, 1));
}

TEST(mailbox, searches_what_encodings_stand_for_in_any_case)
{
    mailbox box;
    box.add(message("Subject: =?iso-8859-1?Q?K=E4se?=\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                    "w5ZMTMKg0JzQntCh0JrQktCQ\r\n")); // "ÖLL", a no-break space, "МОСКВА"
    EXPECT_THAT(ids(box, "KÄSE"), ElementsAre(1));
    EXPECT_THAT(ids(box, "öll"), ElementsAre(1));
    EXPECT_THAT(ids(box, "москва"), ElementsAre(1));
    EXPECT_THAT(ids(box, "w5ZMTM"), IsEmpty());
}

TEST(mailbox, finds_no_word_across_two_fields)
{
    mailbox box;
    box.add(message("Subject: ab\r\n\r\ncd\r\n"));
    EXPECT_THAT(ids(box, "abcd"), IsEmpty());
}

TEST(mailbox, gives_no_more_than_asked_for)
{
    mailbox box;
    for (int i = 0; i < 5; ++i)
        box.add(message("Subject: same\r\n\r\n"));
    EXPECT_THAT(ids(box, "", 2), ElementsAre(5, 4));
    EXPECT_THAT(ids(box, "same", 2), ElementsAre(5, 4));
    EXPECT_THAT(ids(box, "", 0), IsEmpty());
}

TEST(mailbox, tells_observers_of_every_change_until_they_let_go)
{
    mailbox box;
    int told = 0;
    auto observer = box.observe([&told] { ++told; });
    box.add(message("a"));
    box.add(message("b"));
    box.erase(1);
    box.erase(1); // no change
    box.clear();
    box.clear(); // no change
    EXPECT_EQ(told, 4);
    observer.reset();
    box.add(message("c"));
    EXPECT_EQ(told, 4);
}

TEST(mailbox, bears_observers_that_come_and_go_while_it_tells)
{
    mailbox box;
    int late = 0;
    std::shared_ptr<void> second;
    std::shared_ptr<void> first;
    first = box.observe([&] {
        first.reset();
        second = box.observe([&late] { ++late; });
    });
    box.add(message("a"));
    box.add(message("b"));
    EXPECT_EQ(late, 1);
}

TEST(mailbox, keeps_a_found_message_alive_after_it_was_erased)
{
    mailbox box;
    const auto found = box.find(box.add(message("kept")));
    box.clear();
    EXPECT_EQ(found->content, "kept");
}

} // namespace
} // namespace postrider::sandbox
