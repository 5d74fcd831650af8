// SPDX-License-Identifier: MIT
// sandbox/sandbox: the parts together, asked over real sockets.

#include "sandbox/sandbox.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>

namespace postrider::sandbox {
namespace {

using asio::ip::make_address;
using tcp = asio::ip::tcp;
using testing::HasSubstr;

class sandbox_test : public testing::Test {
protected:
    ~sandbox_test() override { finish(); }

    void start(std::string_view text, sandbox_options options = {})
    {
        const world what = parse_world(text).value();
        box.emplace(net::make_environment(context.get_executor()), what, std::move(options));
        loop = std::thread([this] { context.run(); });
    }

    /// Stops the sandbox and waits for its loop to run out of work: it does, or the test hangs.
    void finish()
    {
        if (!loop.joinable())
            return;
        asio::post(context, [this] { box->stop(); });
        loop.join();
    }

    /// Connects, says all of it at once, and reads until the other side closes; "refused" if nobody
    /// listens.
    static std::string talk(const char* address, std::uint16_t port, const std::string& octets)
    {
        asio::io_context own;
        tcp::socket socket(own);
        error_code failed;
        socket.connect({make_address(address), port}, failed);
        if (failed)
            return failed == asio::error::connection_refused ? "refused" : failed.message();
        asio::write(socket, asio::buffer(octets));
        std::string heard;
        asio::read(socket, asio::dynamic_buffer(heard), failed);
        return heard;
    }

    std::vector<dns::record> look_up(const char* name, dns::type kind)
    {
        dns::message query;
        query.id = 7;
        query.questions.push_back({dns::name::parse(name).value(), kind});
        asio::io_context own;
        asio::ip::udp::socket socket(own, asio::ip::udp::v4());
        const asio::ip::udp::endpoint server(make_address("127.0.0.1"), box->about().dns_port);
        socket.send_to(asio::buffer(dns::serialize(query)), server);
        std::vector<std::uint8_t> reply(4096);
        reply.resize(socket.receive(asio::buffer(reply)));
        return dns::parse_message(reply).value().answers;
    }

    asio::io_context context;
    std::optional<sandbox> box;
    std::thread loop;
};

const std::string one_message =
    "HELO a.example\r\nMAIL FROM:<ann@a.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
    "Subject: hi\r\n.\r\nQUIT\r\n";

TEST_F(sandbox_test, takes_mail_where_its_dns_says)
{
    start(default_world());
    const auto exchangers = look_up("example.org", dns::type::mx);
    ASSERT_EQ(exchangers.size(), 2u);
    const auto addresses = look_up("mx2.example.org", dns::type::a);
    ASSERT_EQ(addresses.size(), 1u);
    const std::string address = dns::to_string(std::get<dns::a_data>(addresses.front().data));
    EXPECT_THAT(talk(address.c_str(), box->about().smtp_port, one_message), HasSubstr("250 2.0.0 taken"));
    finish();
    ASSERT_EQ(box->mail().size(), 1u);
    EXPECT_EQ(box->mail().search("").front()->exchanger, "mx2.example.org");
}

TEST_F(sandbox_test, refuses_connections_to_an_exchanger_that_is_down)
{
    start(default_world());
    const auto addresses = look_up("mx1.example.org", dns::type::a);
    ASSERT_EQ(addresses.size(), 1u);
    const std::string address = dns::to_string(std::get<dns::a_data>(addresses.front().data));
    EXPECT_EQ(talk(address.c_str(), box->about().smtp_port, one_message), "refused");
}

TEST_F(sandbox_test, shows_its_mail_on_a_page)
{
    start(default_world());
    talk("127.0.0.2", box->about().smtp_port, one_message);
    const std::string request = "GET /api/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    EXPECT_THAT(talk("127.0.0.1", box->about().page_port, request), HasSubstr("\"subject\":\"hi\""));
}

TEST_F(sandbox_test, describes_itself_in_json)
{
    start("example.org MX 10 mx.example.org\nmx.example.org A 127.0.0.2\nmx.example.org A 127.0.0.3\n"
          "b.example A 192.0.2.1\n");
    const description& about = box->about();
    const std::string smtp = std::to_string(about.smtp_port), dns = std::to_string(about.dns_port),
                      page = std::to_string(about.page_port);
    const std::string json = to_json(about);
    EXPECT_THAT(
        json, HasSubstr("\"dns\":\"127.0.0.1:" + dns + "\",\"dns_port\":" + dns + ",\"smtp_port\":" + smtp));
    EXPECT_THAT(json,
                HasSubstr("{\"name\":\"b.example\",\"address\":\"192.0.2.1\",\"addresses\":[\"192.0.2.1\"],"
                          "\"port\":" +
                          smtp + ",\"listens\":false}"));
    EXPECT_THAT(json, HasSubstr("\"addresses\":[\"127.0.0.2\",\"127.0.0.3\"],\"port\":" + smtp +
                                ",\"listens\":true}"));
    EXPECT_THAT(json, HasSubstr("\"http_port\":" + page + ",\"page\":\"http://127.0.0.1:" + page + "/\""));
    EXPECT_THAT(about.commands,
                testing::ElementsAre(HasSubstr("--resolver 127.0.0.1:" + dns + " --mx-port " + smtp),
                                     HasSubstr("--server 127.0.0.2:" + smtp)));
}

TEST_F(sandbox_test, names_a_port_that_is_taken)
{
    start("mx.example.org A 127.0.0.2\n");
    const auto again = [this](void (*set)(sandbox_options&, const description&)) {
        sandbox_options options;
        set(options, box->about());
        try {
            asio::io_context other;
            const sandbox second(net::make_environment(other.get_executor()),
                                 parse_world("mx.example.org A 127.0.0.2\n").value(), options);
        } catch (const boost::system::system_error& e) {
            return std::string(e.code() == asio::error::address_in_use ? e.what() : "another error");
        }
        return std::string("no error");
    };
    EXPECT_THAT(again([](sandbox_options& o, const description& d) { o.smtp_port = d.smtp_port; }),
                HasSubstr("127.0.0.2:" + std::to_string(box->about().smtp_port)));
    EXPECT_THAT(again([](sandbox_options& o, const description& d) { o.dns_port = d.dns_port; }),
                HasSubstr("127.0.0.1:" + std::to_string(box->about().dns_port)));
    EXPECT_THAT(again([](sandbox_options& o, const description& d) { o.http_port = d.page_port; }),
                HasSubstr("127.0.0.1:" + std::to_string(box->about().page_port)));
}

TEST_F(sandbox_test, passes_on_what_it_hears)
{
    std::vector<std::string> heard; // touched on the loop only, until it has ended
    sandbox_options options;
    options.overhears = [&](std::string_view exchanger, std::string_view, const spoken_line& line) {
        heard.push_back(std::string(exchanger) + " " + line.text);
    };
    options.hears = [&](const answered_question& q) { heard.push_back("dns " + q.asked.owner.to_string()); };
    start("mx.example.org A 127.0.0.2\n", std::move(options));
    look_up("mx.example.org", dns::type::a);
    talk("127.0.0.2", box->about().smtp_port, "QUIT\r\n");
    finish();
    EXPECT_THAT(heard, testing::IsSupersetOf({"dns mx.example.org", "mx.example.org QUIT"}));
}

} // namespace
} // namespace postrider::sandbox
