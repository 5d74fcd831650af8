// SPDX-License-Identifier: MIT
#pragma once
// delivery/esmtp_client: a protocol that speaks SMTP and asks its program, by callbacks, what to send.
//
//     class my_client : public postrider::esmtp_client {
//         eventually<std::optional<std::string>> get_mail_from() override { ... }
//         eventually<std::vector<std::string>> get_mail_to() override { ... }
//         eventually<postrider::body> get_mail_data() override { ... }
//         void sent_mail(int code, ...) override { ... }
//     };
//
// The same session as that of postrider::client, in another dress. After the hello it asks for a message,
// sends it, tells what became of it, and asks for the next, until there is none; then it says QUIT.
//
// Every message that was begun (get_mail_from() gave a reverse-path) ends in exactly one call, of
// sent_mail() if the mail transaction got its answer, of send_error() if something broke, or if there
// was nothing fit to be sent; both have the verdict for every recipient. A greeting or hello that fails
// is told to send_error() too, with no recipients. A connection that ends between messages costs the
// next one nothing: it is told as untried. A callback that throws is logged (exit status 70) and breaks
// the message: nothing more is asked, and QUIT is said.
//
// Stopping the service, or the loop, even inside sent_mail(): no other message is asked for, one that is
// under way gets `patience` to end, and QUIT is said. A connection that is cut before it has ended tells
// the message as error::cancelled, with what is known of each recipient.
//
// connection_made(), connection_lost() and stop_requested() are the client's own: whoever overrides one
// calls it too.

#include "postrider/app/eventually.hpp"
#include "postrider/app/protocol.hpp"
#include "postrider/body.hpp"
#include "postrider/report.hpp"
#include "postrider/settings.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace postrider {

/// What broke, for esmtp_client::send_error().
struct esmtp_failure {
    std::error_code error;
    std::string sentence;                     ///< fit to be shown
    std::optional<reply> said;                ///< the server's words, if some led to it
    std::vector<recipient_report> recipients; ///< of the message under way, in the order of get_mail_to(),
                                              ///< without those that are no address
};

class esmtp_client : public app::protocol {
public:
    /// `identity`: our name for EHLO, a domain or an address literal; it goes before that of `how`.
    explicit esmtp_client(std::string identity, settings how = {});
    ~esmtp_client() override;

    /// The reverse-path of the next message, "alice@example.com"; "" is the null one (RFC 5321 §4.5.5);
    /// nothing: there is no further message. The default has none, and says in the log what to do.
    virtual app::eventually<std::optional<std::string>> get_mail_from();

    /// Its forward-paths, at least one. Each address is checked before a word of the message is said;
    /// if one cannot be used nothing is sent, and send_error() says which.
    virtual app::eventually<std::vector<std::string>> get_mail_to();

    /// Its header section and text; the line ends may be LF or CRLF.
    virtual app::eventually<body> get_mail_data();

    /// The mail transaction has been answered. `code` and `text` are the reply that decided it: 2yz
    /// done, 4yz try again later, 5yz never: that to the end of data; without one, the refusal of MAIL or
    /// DATA; without that, what was said about the last recipient. `accepted`: recipients for whom the
    /// server took responsibility. `text` is escaped, and so is `log`: the last lines of the
    /// conversation, "C: ..." and "S: ...", without bodies; valid inside the call. The default logs it.
    virtual void sent_mail(int code, const std::string& text, std::size_t accepted,
                           const std::vector<recipient_report>& recipients, std::span<const std::string> log);

    /// The default logs the sentence, and notes the failure for the exit status: 76 for a server that
    /// broke the protocol, else 69.
    virtual void send_error(const esmtp_failure& what, std::span<const std::string> log);

    void connection_made() override;
    void connection_lost(const app::reason& why) override;
    void stop_requested() override;

private:
    struct conversation;
    std::shared_ptr<conversation> conversation_;
};

} // namespace postrider
