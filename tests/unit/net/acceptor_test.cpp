// SPDX-License-Identifier: MIT
// unit/net/acceptor: real listeners on loopback; a system that has no room is a child process's.

#include "net/acceptor.hpp"

#include "net/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

namespace postrider::net {
namespace {

using asio::ip::tcp;
using unix_socket = asio::local::stream_protocol;
using testing::HasSubstr;

class acceptor_test : public testing::Test {
protected:
    acceptor_test() { std::filesystem::create_directory(folder); }
    ~acceptor_test() override { std::filesystem::remove_all(folder); }

    endpoint any_port(std::string_view address = "127.0.0.1") const
    {
        return *endpoint::parse(address, std::uint16_t(0));
    }

    endpoint at(std::string_view name) const { return endpoint::at_path(folder + "/" + std::string(name)); }

    /// Runs the loop until `so_many` connections have been taken in all.
    void take(std::size_t so_many)
    {
        context.restart();
        while (taken.size() < so_many)
            ASSERT_EQ(context.run_one(), 1u);
    }

    void start(acceptor& from)
    {
        from.start([this](std::unique_ptr<stream> s) { taken.push_back(std::move(s)); },
                   [this](error_code why) { troubles.push_back(why); });
    }

    /// Connects without a loop: the system's backlog answers.
    tcp::socket client_of(const acceptor& server)
    {
        tcp::socket s(context);
        s.connect(tcp::endpoint(server.where().address(), server.where().port()));
        return s;
    }

    unix_socket::socket client_at(const endpoint& where)
    {
        unix_socket::socket s(context);
        s.connect(unix_socket::endpoint(where.path()));
        return s;
    }

    std::string failure_of(const endpoint& where)
    {
        try {
            const acceptor a(context.get_executor(), where);
        } catch (const std::system_error& failed) {
            return failed.what();
        }
        return "it listens";
    }

    std::string folder =
        (std::filesystem::temp_directory_path() / fmt::format("postrider_acceptor_{}", ::getpid())).string();
    asio::io_context context;
    std::vector<std::unique_ptr<stream>> taken;
    std::vector<error_code> troubles;
};

// ---- accepting ------------------------------------------------------------------------------

TEST_F(acceptor_test, gives_a_stream_for_each_connection)
{
    acceptor server(context.get_executor(), any_port());
    EXPECT_NE(server.where().port(), 0);
    start(server);
    auto client = client_of(server);
    take(1);
    const auto local = client.local_endpoint();
    EXPECT_EQ(taken[0]->peer(), fmt::format("127.0.0.1:{}", local.port()));
    EXPECT_EQ(taken[0]->local_literal(), "[127.0.0.1]");

    client.send(asio::buffer("hello", 5));
    std::array<char, 16> in{};
    std::size_t came = 0;
    taken[0]->async_read(asio::buffer(in), [&](error_code, std::size_t n) { came = n; });
    while (came == 0)
        context.run_one();
    EXPECT_EQ(std::string_view(in.data(), came), "hello");
}

TEST_F(acceptor_test, takes_more_clients_than_one_round_does)
{
    acceptor server(context.get_executor(), any_port());
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 100; ++i)
        clients.push_back(client_of(server));
    start(server);
    take(100);
    EXPECT_EQ(taken.size(), 100u);
    EXPECT_TRUE(troubles.empty());
}

TEST_F(acceptor_test, sockets_are_not_inherited_and_do_not_block)
{
    acceptor server(context.get_executor(), any_port());
    std::vector<tcp::socket> sockets;
    server.start_sockets([&](tcp::socket s, const endpoint& peer) {
        EXPECT_EQ(peer.address().to_string(), "127.0.0.1");
        sockets.push_back(std::move(s));
    });
    const auto client = client_of(server);
    while (sockets.empty())
        context.run_one();
    EXPECT_EQ(::fcntl(sockets[0].native_handle(), F_GETFD), FD_CLOEXEC);
    EXPECT_TRUE(::fcntl(sockets[0].native_handle(), F_GETFL) & O_NONBLOCK);
    tcp::no_delay at_once;
    sockets[0].get_option(at_once);
    EXPECT_TRUE(at_once.value());
}

TEST_F(acceptor_test, ipv6_only_on_an_ipv6_address)
{
    acceptor six(context.get_executor(), any_port("::"));
    const endpoint four_same_port(asio::ip::make_address("0.0.0.0"), six.where().port());
    acceptor four(context.get_executor(), four_same_port);
    start(six);
    tcp::socket client(context);
    client.connect(tcp::endpoint(asio::ip::address_v6::loopback(), six.where().port()));
    take(1);
    EXPECT_EQ(taken[0]->peer(), fmt::format("[::1]:{}", client.local_endpoint().port()));
}

TEST_F(acceptor_test, a_client_that_is_gone_already_does_no_harm)
{
    acceptor server(context.get_executor(), any_port());
    {
        auto gone = client_of(server);
        gone.set_option(asio::socket_base::linger(true, 0)); // a reset
    }
    start(server);
    const auto client = client_of(server);
    const std::string name = fmt::format("127.0.0.1:{}", client.local_endpoint().port());
    context.restart();
    while (taken.empty() || taken.back()->peer() != name)
        context.run_one();
    EXPECT_TRUE(troubles.empty());
}

// ---- pausing and closing --------------------------------------------------------------------

TEST_F(acceptor_test, while_it_pauses_clients_wait_in_the_backlog)
{
    acceptor server(context.get_executor(), any_port());
    server.start([&](std::unique_ptr<stream> s) {
        taken.push_back(std::move(s));
        server.pause();
    });
    const auto first = client_of(server), second = client_of(server);
    take(1);
    context.restart();
    context.poll();
    EXPECT_EQ(taken.size(), 1u);
    start(server);
    take(2);
}

TEST_F(acceptor_test, pausing_and_starting_at_once_loses_nobody)
{
    acceptor server(context.get_executor(), any_port());
    start(server);
    server.pause();
    start(server);
    start(server);
    const auto client = client_of(server);
    take(1);
    context.poll();
    EXPECT_EQ(taken.size(), 1u);
}

TEST_F(acceptor_test, a_closed_one_leaves_nothing_on_the_loop)
{
    std::optional<acceptor> server(std::in_place, context.get_executor(), any_port());
    start(*server);
    const endpoint where = server->where();
    context.poll();
    server.reset();
    context.restart();
    context.run(); // ends: nobody waits
    acceptor again(context.get_executor(), where);
    EXPECT_EQ(again.where(), where);
}

TEST_F(acceptor_test, may_be_destroyed_by_whom_it_tells)
{
    auto server = std::make_unique<acceptor>(context.get_executor(), any_port());
    const auto first = client_of(*server), second = client_of(*server);
    server->start([&](std::unique_ptr<stream> s) {
        taken.push_back(std::move(s));
        server.reset();
    });
    context.run();
    EXPECT_EQ(taken.size(), 1u);
}

TEST_F(acceptor_test, goes_on_after_an_exception_of_its_taker)
{
    acceptor server(context.get_executor(), any_port());
    server.start([&](std::unique_ptr<stream> s) {
        taken.push_back(std::move(s));
        throw std::runtime_error("not today");
    });
    const auto first = client_of(server), second = client_of(server);
    EXPECT_THROW(context.run(), std::runtime_error);
    EXPECT_THROW(context.run(), std::runtime_error);
    EXPECT_EQ(taken.size(), 2u);
}

// ---- no room --------------------------------------------------------------------------------

// The undefined behaviour sanitizer looks at memory through a pipe of its own, and takes it for broken
// if it gets none; its preset is that of the address sanitizer.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool descriptors_are_ours = false;
#else
constexpr bool descriptors_are_ours = true;
#endif

/// No descriptor can be had while it lives.
class no_descriptors {
public:
    no_descriptors()
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int lowest_free = ::dup(STDERR_FILENO);
        ::close(lowest_free);
        rlimit none = before_;
        none.rlim_cur = static_cast<rlim_t>(lowest_free);
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

TEST_F(acceptor_test, out_of_descriptors_it_says_so_once_and_goes_on_later)
{
    if (!descriptors_are_ours)
        GTEST_SKIP() << "the sanitizer needs descriptors";
    auto& time = asio::use_service<timer_service>(context);
    time.make_virtual();
    acceptor server(context.get_executor(), any_port());
    const auto client = client_of(server);
    start(server);
    {
        const no_descriptors none;
        while (troubles.empty())
            context.run_one();
        for (int attempts = 0; attempts < 3; ++attempts) {
            EXPECT_TRUE(time.advance());
            context.restart(); // virtual waiting is no work: the loop has ended
            context.poll();
        }
        EXPECT_TRUE(taken.empty());
    }
    EXPECT_TRUE(time.advance());
    take(1);
    EXPECT_THAT(troubles, testing::ElementsAre(error_code(EMFILE, boost::system::system_category())));
}

TEST_F(acceptor_test, no_trouble_is_told_while_nobody_comes)
{
    if (!descriptors_are_ours)
        GTEST_SKIP() << "the sanitizer needs descriptors";
    acceptor server(context.get_executor(), any_port());
    const auto client = client_of(server);
    std::optional<no_descriptors> none;
    server.start(
        [&](std::unique_ptr<stream> s) {
            taken.push_back(std::move(s));
            none.emplace(); // the one that was taken was the last that could be
        },
        [&](error_code why) { troubles.push_back(why); });
    take(1);
    context.poll();
    EXPECT_TRUE(troubles.empty());
}

TEST_F(acceptor_test, closing_ends_the_wait_for_room)
{
    if (!descriptors_are_ours)
        GTEST_SKIP() << "the sanitizer needs descriptors";
    std::optional<acceptor> server(std::in_place, context.get_executor(), any_port());
    const auto client = client_of(*server);
    start(*server);
    const no_descriptors none;
    while (troubles.empty())
        context.run_one();
    server.reset();
    context.restart();
    context.run();
    EXPECT_TRUE(taken.empty());
}

// ---- places that cannot be had --------------------------------------------------------------

TEST_F(acceptor_test, a_failure_names_the_place)
{
    const acceptor server(context.get_executor(), any_port());
    EXPECT_THAT(failure_of(server.where()), HasSubstr("cannot listen on " + server.where().to_string()));
    EXPECT_THAT(failure_of(*endpoint::parse("192.0.2.1:2525")),
                HasSubstr("cannot listen on 192.0.2.1:2525: Cannot assign requested address"));
    EXPECT_THAT(failure_of(at("no/such/folder")), HasSubstr("folder: No such file or directory"));
}

// ---- Unix sockets ---------------------------------------------------------------------------

unsigned mode_of(const endpoint& where)
{
    struct stat file;
    return ::lstat(where.path().c_str(), &file) == 0 ? file.st_mode & 07777u : 0;
}

TEST_F(acceptor_test, a_unix_socket_has_the_mode_that_was_asked_for)
{
    for (const unsigned mode : {0600u, 0660u, 0666u}) {
        acceptor server(context.get_executor(), at("s"), mode);
        EXPECT_EQ(mode_of(at("s")), mode);
        start(server);
        const auto client = client_at(at("s"));
        take(taken.size() + 1);
        EXPECT_EQ(taken.back()->peer(), at("s").to_string());
    }
}

TEST_F(acceptor_test, the_file_of_a_unix_socket_is_removed_at_the_end)
{
    std::optional<acceptor> server(std::in_place, context.get_executor(), at("s"));
    EXPECT_TRUE(std::filesystem::exists(at("s").path()));
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(at("s").path()));
}

TEST_F(acceptor_test, a_deserted_unix_socket_is_replaced)
{
    {
        unix_socket::acceptor left(context, unix_socket::endpoint(at("s").path()));
    }
    ASSERT_TRUE(std::filesystem::exists(at("s").path()));
    acceptor server(context.get_executor(), at("s"), 0600);
    start(server);
    const auto client = client_at(at("s"));
    take(1);
    EXPECT_EQ(mode_of(at("s")), 0600u);
}

TEST_F(acceptor_test, a_unix_socket_that_is_listened_on_is_not)
{
    acceptor first(context.get_executor(), at("s"));
    EXPECT_THAT(failure_of(at("s")), HasSubstr("(somebody listens there): Address already in use"));
    start(first);
    const auto client = client_at(at("s"));
    take(1); // the question is a connection as well, and is gone
}

TEST_F(acceptor_test, a_unix_socket_whose_backlog_is_full_is_not_deserted)
{
    unix_socket::acceptor busy(context);
    busy.open();
    busy.bind(unix_socket::endpoint(at("s").path()));
    busy.listen(0);
    const auto waiting = client_at(at("s"));
    EXPECT_THAT(failure_of(at("s")), HasSubstr("somebody listens there"));
}

TEST_F(acceptor_test, files_and_links_are_never_replaced)
{
    std::ofstream(at("file").path()) << "precious";
    EXPECT_THAT(failure_of(at("file")), HasSubstr("(what stands there is no socket)"));
    EXPECT_EQ(std::filesystem::file_size(at("file").path()), 8u);
    {
        unix_socket::acceptor left(context, unix_socket::endpoint(at("s").path()));
    }
    std::filesystem::create_symlink(at("s").path(), at("link").path());
    EXPECT_THAT(failure_of(at("link")), HasSubstr("(what stands there is no socket)"));
    EXPECT_TRUE(std::filesystem::is_symlink(at("link").path()));
    EXPECT_TRUE(std::filesystem::exists(at("s").path()));
}

TEST_F(acceptor_test, a_file_that_is_another_s_by_now_stays)
{
    std::optional<acceptor> first(std::in_place, context.get_executor(), at("s"));
    std::filesystem::remove(at("s").path());
    const acceptor second(context.get_executor(), at("s"));
    first.reset();
    EXPECT_TRUE(std::filesystem::exists(at("s").path()));
}

// ---- sockets that were opened by somebody else ----------------------------------------------

TEST_F(acceptor_test, takes_over_a_socket_that_listens)
{
    tcp::acceptor manager(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto port = manager.local_endpoint().port();
    acceptor server(context.get_executor(), manager.release());
    EXPECT_EQ(server.where().to_string(), fmt::format("127.0.0.1:{}", port));
    start(server);
    const auto client = client_of(server);
    take(1);
}

TEST_F(acceptor_test, an_ipv4_client_of_an_inherited_socket_for_both_has_an_ipv4_address)
{
    tcp::acceptor manager(context, tcp::v6());
    manager.set_option(asio::ip::v6_only(false));
    manager.bind(tcp::endpoint(tcp::v6(), 0));
    manager.listen();
    const auto port = manager.local_endpoint().port();
    acceptor server(context.get_executor(), manager.release());
    start(server);
    tcp::socket client(context);
    client.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    take(1);
    EXPECT_EQ(taken[0]->peer(), fmt::format("127.0.0.1:{}", client.local_endpoint().port()));
}

TEST_F(acceptor_test, the_file_of_an_inherited_socket_is_not_ours_to_remove)
{
    unix_socket::acceptor manager(context, unix_socket::endpoint(at("s").path()));
    {
        const acceptor server(context.get_executor(), manager.release());
        EXPECT_EQ(server.where(), at("s"));
    }
    EXPECT_TRUE(std::filesystem::exists(at("s").path()));
}

TEST_F(acceptor_test, what_does_not_listen_is_not_taken_over)
{
    tcp::socket idle(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    EXPECT_THROW(acceptor(context.get_executor(), idle.native_handle()), std::system_error);
    EXPECT_GE(::fcntl(idle.native_handle(), F_GETFD), 0) << "it was closed";
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    EXPECT_THROW(acceptor(context.get_executor(), pipe[0]), std::system_error);
    ::close(pipe[0]);
    ::close(pipe[1]);
}

} // namespace
} // namespace postrider::net
