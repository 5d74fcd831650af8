// SPDX-License-Identifier: MIT
// unit/net/tls_openssl: the other side is openssl(1), over loopback.
#include "net/acceptor.hpp"
#include "net/socket_stream.hpp"
#include "net/tls_stream.hpp"
#include "postrider/error.hpp"
#include "support/sim_authority.hpp"

#include <boost/asio/io_context.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>

namespace postrider::net {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A run of openssl(1) with its standard input and output in our hands. It ends with us, at the latest.
class openssl {
public:
    explicit openssl(std::vector<std::string> words, const std::string& folder = "/")
    {
        words.insert(words.begin(), "openssl");
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        std::array<int, 2> in{}, out{};
        if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
            throw std::runtime_error("no pipes");
        child_ = ::fork();
        if (child_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGTERM);
            ::dup2(in[0], STDIN_FILENO);
            ::dup2(out[1], STDOUT_FILENO);
            ::dup2(out[1], STDERR_FILENO);
            if (::chdir(folder.c_str()) == 0)
                ::execvp(arguments[0], arguments.data());
            ::_exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        to_ = in[1];
        from_ = out[0];
    }

    ~openssl()
    {
        ::kill(child_, SIGTERM);
        ::waitpid(child_, nullptr, 0);
        ::close(from_);
        ::close(to_);
    }

    openssl(const openssl&) = delete;
    openssl& operator=(const openssl&) = delete;

    void type(std::string_view text)
    {
        if (::write(to_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            throw std::runtime_error("openssl takes no input");
    }

    /// All it has printed, once that includes `word`, or once it has ended.
    std::string printed(std::string_view word)
    {
        while (output_.find(word) == std::string::npos && read_more())
            ;
        return output_;
    }

    void forget_printed() { output_.clear(); }

    std::string all_printed() { return printed(std::string_view("\0never", 6)); }

    /// Of s_server on port 0.
    endpoint listening()
    {
        // "ACCEPT 127.0.0.1:4711", on a line of its own.
        std::string text = printed("ACCEPT ");
        while (text.find('\n', text.find("ACCEPT ")) == std::string::npos) {
            if (!read_more())
                throw std::runtime_error("openssl s_server: " + text);
            text = output_;
        }
        const std::size_t at = text.find("ACCEPT ") + 7;
        return endpoint::parse(text.substr(at, text.find('\n', at) - at)).value();
    }

private:
    // False: it has ended, or says nothing for so long that it never will.
    bool read_more()
    {
        pollfd ready{from_, POLLIN, 0};
        std::array<char, 4096> some{};
        const ssize_t n = ::poll(&ready, 1, 20'000) == 1 ? ::read(from_, some.data(), some.size()) : -1;
        output_.append(some.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
        return n > 0;
    }

    pid_t child_ = -1;
    int to_ = -1, from_ = -1;
    std::string output_;
};

class tls_openssl_test : public testing::Test {
protected:
    tls_client_settings trusting() const { return tls_client_settings().trust(authority.file()); }

    openssl serve(std::vector<std::string> more)
    {
        std::vector<std::string> words{"s_server", "-accept",         "127.0.0.1:0", "-naccept", "1",
                                       "-cert",    files.certificate, "-key",        files.key};
        words.insert(words.end(), more.begin(), more.end());
        return openssl(std::move(words), authority.folder().string());
    }

    tls_result connect(openssl& server)
    {
        std::optional<tls_result> got;
        connect_socket(context.get_executor(), server.listening(),
                       [&](error_code ec, std::unique_ptr<stream> s) {
                           ASSERT_FALSE(ec) << ec.message();
                           start_tls(std::move(s), make_tls_context(trusting()), "mail.example.org",
                                     [&](tls_result r) { got.emplace(std::move(r)); });
                       });
        run();
        return got ? std::move(*got) : tls_result();
    }

    // Our side of a connection from s_client.
    void accept_from(std::vector<std::string> more)
    {
        listener.emplace(context.get_executor(), *endpoint::parse("127.0.0.1:0"));
        listener->start(
            [this](std::unique_ptr<stream> s) {
                listener->close();
                start_tls(std::move(s), make_tls_context(tls_server_settings(files.certificate, files.key)),
                          {}, [this](tls_result r) { accepted.emplace(std::move(r)); });
            },
            [](error_code) {});
        std::vector<std::string> words{"s_client",         "-connect",         listener->where().to_string(),
                                       "-CAfile",          authority.file(),   "-verify_return_error",
                                       "-verify_hostname", "mail.example.org", "-servername",
                                       "mail.example.org"};
        words.insert(words.end(), more.begin(), more.end());
        peer.emplace(std::move(words));
        run();
    }

    void run()
    {
        context.restart();
        context.run();
    }

    void say(stream& to, std::string_view text)
    {
        const asio::const_buffer all = asio::buffer(text);
        to.async_write({&all, 1}, [&](error_code ec, std::size_t n) {
            EXPECT_FALSE(ec) << ec.message();
            EXPECT_EQ(n, text.size());
        });
        run();
    }

    // Reads until `enough`, or to the end.
    error_code hear(stream& from, std::string& heard, const std::function<bool()>& enough)
    {
        error_code end;
        std::vector<char> some(30'000);
        while (!end && !enough()) {
            from.async_read(asio::buffer(some), [&](error_code ec, std::size_t n) {
                heard.append(some.data(), n);
                end = ec;
            });
            run();
        }
        return end;
    }

    std::string line_from(stream& from)
    {
        std::string heard;
        (void)hear(from, heard, [&] { return heard.ends_with("\n"); });
        return heard;
    }

    asio::io_context context;
    test::sim_authority authority;
    test::sim_authority::files files = authority.issue();
    std::optional<acceptor> listener;
    std::optional<openssl> peer;
    std::optional<tls_result> accepted;
};

TEST_F(tls_openssl_test, a_server_of_either_version)
{
    for (const std::string version : {"1.2", "1.3"}) {
        openssl server = serve({"-rev", version == "1.2" ? "-tls1_2" : "-tls1_3"});
        const tls_result r = connect(server);
        ASSERT_TRUE(r.made) << r.sentence;
        EXPECT_THAT(r.summary, StartsWith("TLSv" + version + ", "));
        say(*r.made, "hello\n");
        EXPECT_EQ(line_from(*r.made), "olleh\n") << "tickets come before it, and do no harm";
        r.made->close();
        run();
    }
}

TEST_F(tls_openssl_test, a_large_file_from_a_server)
{
    std::string content;
    while (content.size() < (10 << 20))
        content += fmt::format("line {}\n", content.size());
    std::ofstream(authority.folder() / "large") << content;
    openssl server = serve({"-WWW"});
    const tls_result r = connect(server);
    ASSERT_TRUE(r.made) << r.sentence;
    say(*r.made, "GET /large HTTP/1.0\r\n\r\n");
    std::string heard;
    const error_code end = hear(*r.made, heard, [] { return false; });
    EXPECT_TRUE(heard.ends_with(content));
    EXPECT_EQ(end, asio::error::eof) << end.message();
}

TEST_F(tls_openssl_test, a_server_that_knows_old_tls_only)
{
    openssl server = serve({"-rev", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
    const tls_result r = connect(server);
    EXPECT_FALSE(r.made);
    EXPECT_EQ(r.error, make_error_code(error::tls_failed));
    EXPECT_EQ(r.sentence, "mail.example.org speaks no version of TLS that is accepted here (1.2 and 1.3)");
}

TEST_F(tls_openssl_test, a_server_that_wants_a_certificate_of_ours)
{
    for (const char* version : {"-tls1_2", "-tls1_3"}) {
        openssl server =
            serve({"-rev", version, "-Verify", "1", "-verify_return_error", "-CAfile", authority.file()});
        const tls_result r = connect(server);
        std::string heard;
        const error_code end = r.made ? hear(*r.made, heard, [] { return false; }) : error_code();
        // TLS 1.3 refuses when our side of the handshake is over.
        EXPECT_THAT(r.made ? end.message() : r.sentence,
                    testing::ContainsRegex("certificate required|handshake failure"));
    }
}

TEST_F(tls_openssl_test, a_client_of_either_version)
{
    for (const char* version : {"-tls1_2", "-tls1_3"}) {
        accept_from({version});
        ASSERT_TRUE(accepted && accepted->made) << accepted->sentence;
        peer->type("hello\n");
        EXPECT_EQ(line_from(*accepted->made), "hello\n");
        say(*accepted->made, "good bye\r\n");
        accepted->made->close();
        run();
        const std::string printed = peer->all_printed();
        EXPECT_THAT(printed, HasSubstr("good bye"));
        EXPECT_THAT(printed, HasSubstr("Verification: OK"));
        EXPECT_THAT(printed, Not(HasSubstr("Session Ticket arrived")));
        EXPECT_THAT(printed, HasSubstr("closed"));
        accepted.reset();
    }
}

TEST_F(tls_openssl_test, a_client_that_knows_old_tls_only)
{
    accept_from({"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
    ASSERT_TRUE(accepted);
    EXPECT_FALSE(accepted->made);
    EXPECT_THAT(accepted->sentence, HasSubstr("speaks no version of TLS that is accepted here"));
    EXPECT_THAT(peer->all_printed(), HasSubstr("alert protocol version"));
}

TEST_F(tls_openssl_test, new_keys_on_demand)
{
    accept_from({"-tls1_3"});
    ASSERT_TRUE(accepted && accepted->made) << accepted->sentence;
    for (int i = 0; i < 3; ++i) {
        peer->forget_printed();
        peer->type("K\n"); // asks for ours as well
        peer->printed("KEYUPDATE");
        peer->type("hello\n");
        EXPECT_EQ(line_from(*accepted->made), "hello\n");
        const std::string answer = fmt::format("answer {}\r\n", i);
        say(*accepted->made, answer);
        EXPECT_THAT(peer->printed(answer), HasSubstr(answer));
    }
    accepted->made->close();
    run();
}

TEST_F(tls_openssl_test, no_renegotiation)
{
    accept_from({"-tls1_2"});
    ASSERT_TRUE(accepted && accepted->made) << accepted->sentence;
    peer->type("R\n");
    std::string heard;
    EXPECT_TRUE(hear(*accepted->made, heard, [] { return false; })) << "the client gives up";
    EXPECT_EQ(heard, "");
    EXPECT_THAT(peer->printed("no renegotiation"), HasSubstr("no renegotiation"));
}

} // namespace
} // namespace postrider::net
