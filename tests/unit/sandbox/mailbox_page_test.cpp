// SPDX-License-Identifier: MIT
// sandbox/mailbox_page: the page's files and the JSON API, without sockets.

#include "sandbox/mailbox_page.hpp"

#include "sandbox/page_asset.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace postrider::sandbox {
namespace {

namespace json = boost::json;

captured_message message(std::string content)
{
    captured_message made;
    made.received = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'042));
    made.exchanger = "mx2.example.org";
    made.client = "127.0.0.1:40000";
    made.hello = "laptop";
    made.reverse_path = "ann@example.com";
    made.forward_paths = {"bob@example.org"};
    made.parameters = {"BODY=8BITMIME"};
    made.conversation = {{'S', "220 mx2"}, {'C', "EHLO \xff"}};
    made.content = std::move(content);
    return made;
}

struct mailbox_page_test : testing::Test {
    json::value ask(std::string_view target)
    {
        const auto answer = page.answer("GET", target);
        EXPECT_EQ(answer.status, 200u) << target;
        EXPECT_EQ(answer.type, "application/json");
        return json::parse(answer.body);
    }

    unsigned status(std::string_view method, std::string_view target)
    {
        return page.answer(method, target).status;
    }

    mailbox box;
    mailbox_page page{box, R"({"dns":"127.0.0.1:5353"})"};
};

TEST_F(mailbox_page_test, serves_its_files_as_they_lie_in_the_source)
{
    ASSERT_FALSE(page_assets().empty());
    for (const auto& asset : page_assets()) {
        const std::string name = asset.path == "/" ? "/index.html" : std::string(asset.path);
        std::ifstream file(POSTRIDER_SOURCE_DIR "/src/sandbox/page" + name, std::ios::binary);
        std::stringstream content;
        content << file.rdbuf();
        const auto answer = page.answer("GET", asset.path);
        EXPECT_EQ(answer.status, 200u);
        EXPECT_EQ(answer.type, asset.type);
        EXPECT_FALSE(answer.body.empty()) << name;
        EXPECT_EQ(answer.body, content.str()) << name;
    }
    EXPECT_EQ(page.answer("GET", "/?reload").type, "text/html; charset=utf-8");
}

TEST_F(mailbox_page_test, never_makes_markup_out_of_strings)
{
    for (const auto& asset : page_assets())
        for (const auto* word :
             {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "onclick="})
            EXPECT_EQ(asset.content.find(word), asset.content.npos) << asset.path << ": " << word;
}

TEST_F(mailbox_page_test, needs_nothing_from_elsewhere)
{
    for (const auto& asset : page_assets())
        for (const auto* word : {"https://", "url(", "@import"})
            EXPECT_EQ(asset.content.find(word), asset.content.npos) << asset.path << ": " << word;
}

TEST_F(mailbox_page_test, lists_messages_newest_first)
{
    box.add(message("From: Ann <ann@example.com>\r\nSubject: one\r\n\r\n"));
    box.add(message("Subject: =?utf-8?Q?zw=C3=B6lf?=\r\n\r\n"));
    const auto found = ask("/api/messages");
    EXPECT_EQ(found.at("count").to_number<int>(), 2);
    const auto& list = found.at("messages").as_array();
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].at("subject").as_string(), "zwölf");
    EXPECT_EQ(list[0].at("from").as_string(), "ann@example.com"); // the reverse-path, there being no From
    EXPECT_EQ(list[1].at("from").as_string(), "Ann <ann@example.com>");
    EXPECT_EQ(list[1].at("exchanger").as_string(), "mx2.example.org");
    EXPECT_EQ(list[1].at("received").as_string(), "2023-11-14T22:13:20.042Z");
}

TEST_F(mailbox_page_test, searches_and_limits)
{
    for (const auto* text : {"red wine", "white wine", "caf\xc3\xa9"})
        box.add(message(std::string("\r\n") + text));
    EXPECT_EQ(ask("/api/messages?q=wine").at("messages").as_array().size(), 2u);
    EXPECT_EQ(ask("/api/messages?q=wine+red").at("messages").as_array().size(), 1u);
    EXPECT_EQ(ask("/api/messages?x=1&q=CAF%C3%89").at("messages").as_array().size(), 1u);
    const auto limited = ask("/api/messages?limit=1&q=wine");
    EXPECT_EQ(limited.at("messages").as_array().size(), 1u);
    EXPECT_EQ(limited.at("count").to_number<int>(), 3);
    EXPECT_EQ(ask("/api/messages?limit=99999999").at("messages").as_array().size(), 3u);
    EXPECT_EQ(status("GET", "/api/messages?limit=-1"), 400u);
    EXPECT_EQ(status("GET", "/api/messages?limit=x"), 400u);
}

TEST_F(mailbox_page_test, gives_a_whole_message)
{
    box.add(message("Subject: hi\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nK\xe4se\r\n"));
    const auto found = ask("/api/messages/1");
    EXPECT_EQ(found.at("text").as_string(), "Käse\n");
    EXPECT_EQ(found.at("text_type").as_string(), "text/plain");
    EXPECT_EQ(found.at("headers").at(0).at("name").as_string(), "Subject");
    EXPECT_EQ(found.at("reverse_path").as_string(), "ann@example.com");
    EXPECT_EQ(found.at("forward_paths").at(0).as_string(), "bob@example.org");
    EXPECT_EQ(found.at("parameters").at(0).as_string(), "BODY=8BITMIME");
    EXPECT_EQ(found.at("client").as_string(), "127.0.0.1:40000");
    EXPECT_EQ(found.at("hello").as_string(), "laptop");
    EXPECT_EQ(found.at("conversation").at(1).at("who").as_string(), "C");
    EXPECT_EQ(found.at("conversation").at(1).at("text").as_string(), "EHLO \xef\xbf\xbd");
}

TEST_F(mailbox_page_test, gives_the_source_octet_for_octet_as_a_download)
{
    const std::string octets("Subject: x\r\n\r\n\0\xff<b>\r\n", 21);
    box.add(message(octets));
    const auto answer = page.answer("GET", "/api/messages/1/source");
    box.clear(); // the answer keeps what it shows
    EXPECT_EQ(answer.body, octets);
    EXPECT_EQ(answer.type, "text/plain");
    EXPECT_EQ(answer.file_name, "message-1.eml");
}

TEST_F(mailbox_page_test, bounds_what_it_shows_of_a_large_message)
{
    auto large = message("Subject: " + std::string(5000, 's') + "\r\n\r\n" + std::string(2'000'000, 'x'));
    large.forward_paths.assign(5000, "someone@example.org");
    large.conversation.assign(5000, {'C', std::string(3000, 'c')});
    box.add(std::move(large));
    EXPECT_LT(page.answer("GET", "/api/messages").body.size(), 2000u);
    const auto found = ask("/api/messages/1");
    EXPECT_TRUE(found.at("text_cut").as_bool());
    EXPECT_TRUE(found.at("conversation_cut").as_bool());
    EXPECT_EQ(found.at("recipients").to_number<int>(), 5000);
    EXPECT_EQ(found.at("forward_paths").as_array().size(), 200u);
    EXPECT_EQ(found.at("size").to_number<int>(), 2'005'013);
}

TEST_F(mailbox_page_test, removes_one_message_or_all)
{
    box.add(message("a"));
    box.add(message("b"));
    box.add(message("c"));
    EXPECT_EQ(status("DELETE", "/api/messages/2"), 204u);
    EXPECT_EQ(status("DELETE", "/api/messages/2"), 404u);
    EXPECT_EQ(box.size(), 2u);
    EXPECT_EQ(status("DELETE", "/api/messages"), 204u);
    EXPECT_EQ(box.size(), 0u);
}

TEST_F(mailbox_page_test, says_what_it_does_not_have_or_do)
{
    box.add(message("a"));
    for (const auto* target : {"/nothing", "/api", "/api/messages/", "/api/messages/x",
                               "/api/messages/1/other", "/api/messages/1x", "/api/messages/99",
                               "/api/messages/99999999999999999999999", "/../etc/passwd", "", "*", "?"})
        EXPECT_EQ(status("GET", target), 404u) << target;
    for (const auto* target :
         {"/", "/api/messages", "/api/messages/1", "/api/messages/1/source", "/api/sandbox", "/api/events"})
        EXPECT_EQ(status("POST", target), 405u) << target;
    EXPECT_EQ(status("DELETE", "/api/messages/1/source"), 405u);
    EXPECT_EQ(box.size(), 1u);
    EXPECT_EQ(page.answer("PUT", "/api/messages").allow, "GET, DELETE");
    EXPECT_EQ(json::parse(failed(400, "say \"please\"").body).at("error").as_string(), "say \"please\"");
}

TEST_F(mailbox_page_test, tells_about_the_sandbox_and_offers_events)
{
    EXPECT_EQ(ask("/api/sandbox").at("dns").as_string(), "127.0.0.1:5353");
    EXPECT_TRUE(page.answer("GET", "/api/events").live);
}

} // namespace
} // namespace postrider::sandbox
