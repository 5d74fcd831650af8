// SPDX-License-Identifier: MIT
// net/tls_diagnosis: the plain reasons first, OpenSSL's words last.

#include "net/tls_diagnosis.hpp"

#include "base/text.hpp"

#include <cstddef>

namespace postrider::net {
namespace {

constexpr std::size_t shown_octets_max = 80;

// A record of TLS begins with its kind (20 to 24) and version 3 (RFC 8446 §5.1).
bool may_be_tls(std::string_view heard)
{
    return heard.empty() || (heard[0] >= 20 && heard[0] <= 24 && (heard.size() == 1 || heard[1] == 3));
}

// Whatever follows: it is shown escaped.
bool is_text(std::string_view line) { return !line.empty() && line[0] >= ' ' && line[0] <= '~'; }

std::string plain_sentence(const tls_facts& f)
{
    const std::string_view line = f.heard.substr(0, f.heard.find_first_of("\r\n"));
    if (!is_text(line))
        return f.who + " spoke what is no TLS: `" + base::escaped(f.heard.substr(0, 16)) + "`";
    const std::string shown = "`" + base::escaped(line, shown_octets_max) + "`";
    if (!f.client)
        return f.who + " spoke plain text to a port that is for TLS from the first octet: " + shown;
    const std::string sentence = "TLS spoken to a port that answered in plain text (" + shown + ")";
    return base::is_digit(line.front()) ? sentence + ": use starttls" : sentence; // a greeting of SMTP's
}

std::string loss_sentence(const tls_facts& f)
{
    if (f.lost != asio::error::eof)
        return "the connection to " + f.who + " was lost during the TLS handshake: " + f.lost.message();
    if (f.client && f.heard.empty())
        return f.who + " closed the connection instead of a TLS handshake: is TLS spoken on that port?";
    return f.who + " closed the connection during the TLS handshake";
}

std::string alert_sentence(const tls_facts& f)
{
    const int alert = f.trouble.alert();
    const std::string_view meaning = alert_meaning(alert);
    const std::string sentence = f.who + " ended the TLS handshake: " + alert_name(alert);
    return meaning.empty() ? sentence : sentence + " (" + std::string(meaning) + ")";
}

} // namespace

std::string tls_failure_sentence(const tls_facts& f)
{
    if (!may_be_tls(f.heard))
        return plain_sentence(f);
    if (f.lost)
        return loss_sentence(f);
    if (f.trouble.is_version())
        return f.who + " speaks no version of TLS that is accepted here (1.2 and 1.3)";
    if (f.trouble.is_alert())
        return alert_sentence(f);
    return "the TLS handshake with " + f.who + " failed: " + f.trouble.words();
}

} // namespace postrider::net
