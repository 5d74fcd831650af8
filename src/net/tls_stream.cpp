// SPDX-License-Identifier: MIT
// net/tls_stream: the handshake from its caller's side, and the stream that comes of it.

#include "net/tls_stream.hpp"

#include "net/complete.hpp"
#include "net/tls_context.hpp"
#include "net/tls_diagnosis.hpp"
#include "net/tls_identity.hpp"
#include "net/tls_session.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <new>
#include <optional>
#include <utility>

namespace postrider::net {
namespace {

class tls_stream final : public stream {
public:
    explicit tls_stream(std::shared_ptr<tls_session> session) : session_(std::move(session)) {}
    ~tls_stream() override { session_->close(); }

    asio::any_io_executor get_executor() override { return session_->under().get_executor(); }

    void async_read(asio::mutable_buffer into, handler done) override
    {
        session_->read(into, std::move(done));
    }

    void async_write(std::span<const asio::const_buffer> octets, handler done) override
    {
        session_->write(octets, std::move(done));
    }

    std::size_t read_now(asio::mutable_buffer into, error_code& ec) override
    {
        return session_->read_now(into, ec);
    }

    std::size_t write_now(std::span<const asio::const_buffer> octets, error_code& ec) override
    {
        return session_->write_now(octets, ec);
    }

    void cancel() override { session_->cancel(); }
    void close() noexcept override { session_->close(); }
    std::string peer() const override { return session_->under().peer(); }
    std::string local_literal() const override { return session_->under().local_literal(); }

private:
    std::shared_ptr<tls_session> session_;
};

using start_handler = asio::any_completion_handler<void(tls_result)>;

// What has to be known about a handshake when it is over.
struct tls_start {
    std::shared_ptr<tls_context> context;
    std::string who; // for sentences
};

tls_result failure(error why, std::string sentence)
{
    tls_result failed;
    failed.error = make_error_code(why);
    failed.sentence = std::move(sentence);
    return failed;
}

tls_result failure(const tls_start& start, const tls_session& session, const error_code& ec)
{
    if (ec == asio::error::operation_aborted)
        return failure(error::cancelled, "the TLS handshake with " + start.who + " was cancelled");
    if (session.trouble().is_certificate() && session.refusal().noted())
        return failure(error::certificate_refused,
                       session.refusal().sentence(start.who, start.context->trust()));
    const bool lost = !session.trouble().found() && session.wire().input_end();
    const tls_facts facts{start.context->is_client(), start.who, lost ? ec : error_code(), session.trouble(),
                          session.wire().heard()};
    return failure(lost ? error::connection_lost : error::tls_failed, tls_failure_sentence(facts));
}

tls_result success(std::shared_ptr<tls_session> session)
{
    const SSL& ssl = session->ssl();
    tls_result made;
    made.summary = std::string(SSL_get_version(&ssl)) + ", " + SSL_get_cipher_name(&ssl);
    made.made = std::make_unique<tls_stream>(std::move(session));
    return made;
}

tls_result outcome(const tls_start& start, std::shared_ptr<tls_session> session, const error_code& ec)
{
    if (!ec)
        return success(std::move(session));
    tls_result failed = failure(start, *session, ec);
    session->close();
    return failed;
}

// Whom a client's peer has to be; nothing for servers, and where nobody asks.
std::optional<tls_identity> identity_of(const tls_context& context, const std::string& host,
                                        std::string& problem)
{
    if (!context.is_client())
        return std::nullopt;
    const std::string& name = context.name().empty() ? host : context.name();
    result<tls_identity> whom = tls_identity::parse(name);
    if (whom)
        return *std::move(whom);
    if (context.verifies())
        problem = name.empty() ? "a server without a name cannot be verified: give the name that its "
                                 "certificate is for"
                               : "no certificate can be for the name of this server: " + whom.problem().what;
    return std::nullopt;
}

} // namespace

void start_tls(std::unique_ptr<stream> over, std::shared_ptr<tls_context> context, std::string host,
               asio::any_completion_handler<void(tls_result)> done)
{
    const asio::any_io_executor executor = over->get_executor();
    std::string problem;
    const std::optional<tls_identity> whom = identity_of(*context, host, problem);
    if (!problem.empty()) {
        complete_later(executor, std::move(done), failure(error::invalid_argument, std::move(problem)));
        return;
    }
    ssl_ptr ssl = context->new_session();
    if (whom && !whom->apply(*ssl, context->verifies()))
        throw std::bad_alloc();

    tls_start start{std::move(context), whom ? whom->text() : over->peer()};
    const auto session = std::make_shared<tls_session>(std::move(over), std::move(ssl));
    const auto slot = asio::get_associated_cancellation_slot(done);
    auto on_handshake = [start = std::move(start), executor, done = std::move(done)](
                            error_code ec, std::shared_ptr<tls_session> over_tls) mutable {
        complete_later(executor, std::move(done), outcome(start, std::move(over_tls), ec));
    };
    session->handshake(asio::bind_cancellation_slot(slot, std::move(on_handshake)));
}

} // namespace postrider::net
