// SPDX-License-Identifier: MIT
// sandbox/http_server: the mailbox in a browser: one page, a JSON API and live events, on loopback.
//
// The one translation unit that meets Beast. One coroutine accepts, one serves each connection;
// all of them end when stop() closes what they wait for. Whatever is awaited may end after stop(),
// so `running()` is asked before the mailbox is touched again.

#include "sandbox/http_server.hpp"

#include "base/text.hpp"
#include "sandbox/http_guard.hpp"
#include "sandbox/mailbox.hpp"
#include "sandbox/mailbox_page.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

namespace postrider::sandbox {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using tcp_stream = beast::basic_stream<tcp, asio::any_io_executor>;
using request = http::request<http::string_body>;

namespace {

constexpr std::size_t connections_max = 64;
constexpr std::size_t listeners_max = 16;
constexpr std::size_t header_octets_max = 8 * 1024;
constexpr std::size_t body_octets_max = 64 * 1024;
constexpr std::size_t piece_octets = 1024 * 1024; // written under one time limit
constexpr std::chrono::seconds idle_max{30};
constexpr std::chrono::seconds heartbeat{15};
constexpr std::chrono::milliseconds accept_pause{200};

std::string_view view(beast::string_view text) noexcept { return {text.data(), text.size()}; }

tcp::endpoint loopback_endpoint(const std::string& address, std::uint16_t port)
{
    error_code failure;
    const auto parsed = asio::ip::make_address(address, failure);
    if (failure || !parsed.is_loopback())
        throw std::invalid_argument(
            fmt::format("the mailbox page is shown on loopback addresses only, not on \"{}\"",
                        base::escaped(address, 64)));
    return {parsed, port};
}

std::string host_form(const asio::ip::address& address)
{
    return address.is_v6() ? fmt::format("[{}]", address.to_string()) : address.to_string();
}

// What is said before the connection closes to a request that could not be read; nothing is said
// to a client that went away or fell silent.
std::optional<page_answer> unreadable(error_code failure)
{
    if (failure == http::error::header_limit || failure == http::error::buffer_overflow)
        return failed(431, "the request's header is too long");
    if (failure == http::error::body_limit)
        return failed(413, "the request's body is too long");
    const bool malformed = failure.category() == make_error_code(http::error::bad_method).category();
    if (malformed && failure != http::error::end_of_stream && failure != http::error::partial_message)
        return failed(400, "this is not an HTTP request");
    return std::nullopt;
}

// The reason not to answer a request at all, if there is one.
std::optional<page_answer> refusal(const request& asked, std::string_view own_host)
{
    const auto host = view(asked[http::field::host]);
    if (asked.count(http::field::host) != 1)
        return failed(400, "a request needs exactly one Host field");
    if (!is_own_host(host, own_host))
        return failed(421, "this page answers to 127.0.0.1 and localhost only");
    const bool api = view(asked.target()).starts_with("/api/");
    if (api && !is_own_request(host, view(asked[http::field::origin]), view(asked["Sec-Fetch-Site"])))
        return failed(403, "pages of other sites may not use this mailbox");
    return std::nullopt;
}

http::response<http::empty_body> header_of(const page_answer& answer, bool keep_alive)
{
    http::response<http::empty_body> header(static_cast<http::status>(answer.status), 11);
    header.keep_alive(keep_alive);
    header.set(http::field::cache_control, "no-store");
    // Message text is a stranger's. The page writes it as text only; should it ever slip, the
    // browser still runs nothing that did not come from here as a file.
    header.set("Content-Security-Policy",
               "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
               "frame-ancestors 'none'; require-trusted-types-for 'script'");
    header.set("X-Content-Type-Options", "nosniff");
    header.set("X-Frame-Options", "DENY");
    header.set("Referrer-Policy", "no-referrer");
    header.set("Cross-Origin-Resource-Policy", "same-origin");
    header.set("Cross-Origin-Opener-Policy", "same-origin");
    if (!answer.type.empty())
        header.set(http::field::content_type, answer.type);
    if (!answer.allow.empty())
        header.set(http::field::allow, answer.allow);
    if (!answer.file_name.empty())
        header.set(http::field::content_disposition,
                   fmt::format("attachment; filename=\"{}\"", answer.file_name));
    if (!answer.live && answer.status != 204)
        header.content_length(answer.body.size());
    return header;
}

} // namespace

class http_server::state : public std::enable_shared_from_this<state> {
public:
    // One client, from accept to close.
    class connection {
    public:
        connection(std::shared_ptr<state> server, tcp::socket socket)
            : stream(std::move(socket)), buffer(header_octets_max + body_octets_max),
              news(stream.get_executor()), server_(std::move(server))
        {
            server_->connections_.insert(this);
        }

        ~connection()
        {
            server_->connections_.erase(this);
            server_->room_.cancel();
        }

        connection(const connection&) = delete;
        connection& operator=(const connection&) = delete;

        state& server() const noexcept { return *server_; }

        void close()
        {
            closed = true;
            error_code ignored;
            stream.socket().close(ignored);
            news.cancel();
        }

        tcp_stream stream;
        beast::flat_buffer buffer;
        asio::steady_timer news; // ends early when there is something to tell a listener
        bool listening = false;
        bool closed = false;

    private:
        std::shared_ptr<state> server_;
    };

    state(const asio::any_io_executor& executor, mailbox& box, std::string about_json,
          const tcp::endpoint& where)
        : acceptor_(executor, where), room_(executor), own_host_(host_form(where.address())), box_(&box),
          page_(std::in_place, box, std::move(about_json))
    {
    }

    void start()
    {
        observer_ = box_->observe([weak = weak_from_this()] {
            if (const auto self = weak.lock())
                self->tell();
        });
        asio::co_spawn(acceptor_.get_executor(), accept_all(shared_from_this()), asio::detached);
    }

    void stop()
    {
        error_code ignored;
        acceptor_.close(ignored);
        room_.cancel();
        observer_.reset();
        page_.reset();
        box_ = nullptr;
        for (auto* each : connections_)
            each->close();
    }

    std::uint16_t port() const
    {
        error_code ignored;
        return acceptor_.local_endpoint(ignored).port();
    }

    bool running() const noexcept { return page_.has_value(); }

private:
    static asio::awaitable<void> accept_all(std::shared_ptr<state> self);
    static asio::awaitable<void> serve(std::shared_ptr<connection> client);
    static asio::awaitable<bool> serve_one(std::shared_ptr<connection> client);
    static asio::awaitable<bool> write(std::shared_ptr<connection> client, page_answer answer, bool with_body,
                                       bool keep_alive);
    static asio::awaitable<error_code> write_octets(std::shared_ptr<connection> client,
                                                    std::string_view octets);
    static asio::awaitable<void> send_events(std::shared_ptr<connection> client);

    page_answer answer(const request& asked);
    std::size_t listeners() const noexcept;

    void tell()
    {
        ++changes_;
        for (auto* each : connections_)
            if (each->listening)
                each->news.cancel();
    }

    tcp::acceptor acceptor_;
    asio::steady_timer room_; // ends early when a connection does
    std::string own_host_;
    mailbox* box_;
    std::optional<mailbox_page> page_; // none once stopped
    std::shared_ptr<void> observer_;
    std::set<connection*> connections_;
    std::uint64_t changes_ = 0;
};

// Where all places are taken, further clients wait in the listener's queue: a browser that opens
// its page again must not be told that there is no server.
asio::awaitable<void> http_server::state::accept_all(std::shared_ptr<state> self)
{
    while (self->running()) {
        error_code failure;
        if (self->connections_.size() >= connections_max) {
            self->room_.expires_after(idle_max);
            co_await self->room_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
            continue;
        }
        auto socket =
            co_await self->acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failure));
        if (!self->running())
            co_return;
        if (failure) { // out of descriptors, most likely: it passes, and must not spin
            self->room_.expires_after(accept_pause);
            co_await self->room_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
            continue;
        }
        socket.set_option(tcp::no_delay(true), failure);
        auto client = std::make_shared<connection>(self, std::move(socket));
        asio::co_spawn(self->acceptor_.get_executor(), serve(std::move(client)), asio::detached);
    }
}

asio::awaitable<void> http_server::state::serve(std::shared_ptr<connection> client)
{
    bool more = true;
    while (more)
        more = co_await serve_one(client);
    client->close();
}

// One request and its answer; true if the connection is good for another.
asio::awaitable<bool> http_server::state::serve_one(std::shared_ptr<connection> client)
{
    http::request_parser<http::string_body> parser;
    parser.header_limit(header_octets_max);
    parser.body_limit(body_octets_max);
    client->stream.expires_after(idle_max);
    error_code failure;
    co_await http::async_read(client->stream, client->buffer, parser,
                              asio::redirect_error(asio::use_awaitable, failure));
    if (client->closed || !client->server().running())
        co_return false;
    if (failure) {
        if (auto last_words = unreadable(failure))
            co_await write(client, std::move(*last_words), true, false);
        co_return false;
    }

    const auto& asked = parser.get();
    auto answer = client->server().answer(asked);
    if (answer.live) {
        co_await send_events(client);
        co_return false;
    }
    const bool with_body = asked.method() != http::verb::head;
    const bool keep_alive = asked.keep_alive();
    const bool written = co_await write(client, std::move(answer), with_body, keep_alive);
    co_return written&& keep_alive;
}

page_answer http_server::state::answer(const request& asked)
{
    if (auto refused = refusal(asked, own_host_))
        return std::move(*refused);
    const auto method = asked.method() == http::verb::head ? std::string_view("GET")
                                                           : view(asked.method_string());
    auto answer = page_->answer(method, view(asked.target()));
    if (answer.live && asked.method() == http::verb::head)
        return failed(405, "events cannot be asked for with HEAD");
    if (answer.live && listeners() >= listeners_max)
        return failed(503, "too many pages listen for events already");
    return answer;
}

std::size_t http_server::state::listeners() const noexcept
{
    std::size_t count = 0;
    for (const auto* each : connections_)
        count += each->listening ? 1 : 0;
    return count;
}

// The body goes out from where it lies: `answer` keeps it alive.
asio::awaitable<bool> http_server::state::write(std::shared_ptr<connection> client, page_answer answer,
                                                bool with_body, bool keep_alive)
{
    const auto header = header_of(answer, keep_alive);
    http::response_serializer<http::empty_body> serializer(header);
    error_code failure;
    client->stream.expires_after(idle_max);
    co_await http::async_write_header(client->stream, serializer,
                                      asio::redirect_error(asio::use_awaitable, failure));
    auto rest = with_body ? answer.body : std::string_view();
    while (!failure && !rest.empty()) {
        const auto piece = rest.substr(0, piece_octets);
        rest.remove_prefix(piece.size());
        failure = co_await write_octets(client, piece);
    }
    co_return !failure && !client->closed;
}

asio::awaitable<error_code> http_server::state::write_octets(std::shared_ptr<connection> client,
                                                             std::string_view octets)
{
    error_code failure;
    client->stream.expires_after(idle_max);
    co_await asio::async_write(client->stream, asio::buffer(octets.data(), octets.size()),
                               asio::redirect_error(asio::use_awaitable, failure));
    co_return failure;
}

// Changes that come while a line is being written are told by one line after it, so a slow
// listener costs nothing. A listener has nothing to say: when its socket becomes readable, it is
// gone, and its place is free for the page's next load at once.
asio::awaitable<void> http_server::state::send_events(std::shared_ptr<connection> client)
{
    client->listening = true;
    client->stream.socket().async_wait(tcp::socket::wait_read,
                                       [weak = std::weak_ptr<connection>(client)](error_code) {
                                           if (const auto gone = weak.lock())
                                               gone->close();
                                       });
    page_answer stream;
    stream.type = "text/event-stream";
    stream.live = true;
    bool going = co_await write(client, std::move(stream), false, false);

    std::optional<std::uint64_t> told;
    while (going && client->server().running()) {
        std::string line;
        if (told != client->server().changes_) {
            told = client->server().changes_;
            line = fmt::format("data: {{\"count\":{}}}\n\n", client->server().box_->size());
        } else {
            error_code woken;
            client->stream.expires_never();
            client->news.expires_after(heartbeat);
            co_await client->news.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            if (woken)
                going = !client->closed;
            else
                line = ": still here\n\n";
        }
        if (going && !line.empty()) {
            const auto failure = co_await write_octets(client, line);
            going = !failure && !client->closed;
        }
    }
}

http_server::http_server(const asio::any_io_executor& executor, mailbox& box, std::string about_json,
                         const std::string& address, std::uint16_t port)
    : state_(std::make_shared<state>(executor, box, std::move(about_json), loopback_endpoint(address, port)))
{
    state_->start();
}

http_server::~http_server() { stop(); }

std::uint16_t http_server::port() const noexcept { return state_->port(); }

void http_server::stop() { state_->stop(); }

} // namespace postrider::sandbox
