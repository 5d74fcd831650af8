// SPDX-License-Identifier: MIT
#pragma once
// sandbox/mailbox_page: the mailbox for a browser and for scripts: the page's files and a JSON API.
//
//     GET    /, /style.css, /*.js, /icon.svg    the page
//     GET    /api/sandbox                       what was given as `about_json`
//     GET    /api/messages?q=words&limit=n      newest first: {"count": of all, "messages": [...]}
//     GET    /api/messages/ID                   envelope, fields, text, parts, conversation
//     GET    /api/messages/ID/source            the octets as received
//     GET    /api/events                        live: a server-sent event after every change
//     DELETE /api/messages/ID, /api/messages    one message, all of them
//
// It knows requests and answers but neither sockets nor HTTP's syntax: http_server does, and has
// checked who asks. Everything in an answer is JSON of well-formed UTF-8 or octets marked as a
// download; what of a message stands in JSON is bounded, and says so where it was cut. A failure
// is a status and {"error": "a sentence"}.

#include "sandbox/mailbox.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace postrider::sandbox {

struct page_answer {
    unsigned status = 200;
    std::string type = "application/json";
    std::string allow;                 ///< for 405: the methods that would do
    std::string file_name;             ///< not "": a download under this name
    bool live = false;                 ///< no body: the connection becomes a stream of events
    std::string_view body;             ///< stays valid while `owner` lives
    std::shared_ptr<const void> owner; ///< null for what is compiled in
};

/// An answer that says what was wrong, in a sentence.
page_answer failed(unsigned status, std::string_view sentence);

class mailbox_page {
public:
    /// `box` must outlive the page.
    mailbox_page(mailbox& box, std::string about_json);

    /// Answers one request; `target` is the path and the query as they came.
    page_answer answer(std::string_view method, std::string_view target);

private:
    page_answer answer_messages(std::string_view method, std::string_view query);
    page_answer answer_message(std::string_view method, std::string_view rest);

    mailbox& box_;
    std::shared_ptr<const std::string> about_;
};

} // namespace postrider::sandbox
