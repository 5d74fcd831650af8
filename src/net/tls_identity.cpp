// SPDX-License-Identifier: MIT
// net/tls_identity: names and addresses, as OpenSSL wants to be told of them.

#include "net/tls_identity.hpp"

#include "base/text.hpp"
#include "postrider/address.hpp"

#include <openssl/x509v3.h>

#include <utility>

namespace postrider::net {
namespace {

std::string_view without_brackets(std::string_view host)
{
    if (host.size() < 2 || host.front() != '[' || host.back() != ']')
        return host;
    host = host.substr(1, host.size() - 2);
    constexpr std::string_view tag = "IPv6:";
    return base::equal_ignoring_case(host.substr(0, tag.size()), tag) ? host.substr(tag.size()) : host;
}

bool set_address(X509_VERIFY_PARAM* rules, const boost::asio::ip::address& address)
{
    if (address.is_v4()) {
        const auto octets = address.to_v4().to_bytes();
        return X509_VERIFY_PARAM_set1_ip(rules, octets.data(), octets.size()) == 1;
    }
    const auto octets = address.to_v6().to_bytes();
    return X509_VERIFY_PARAM_set1_ip(rules, octets.data(), octets.size()) == 1;
}

} // namespace

result<tls_identity> tls_identity::parse(std::string_view host)
{
    tls_identity who;
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address(std::string(without_brackets(host)), ec);
    if (!ec) {
        who.address_ = address;
        who.text_ = address.to_string();
        return who;
    }
    result<std::string> name = parse_domain(host);
    if (!name)
        return name.problem();
    who.text_ = *std::move(name);
    return who;
}

bool tls_identity::apply(SSL& session, bool verified) const
{
    // As SSL_set_tlsext_host_name does, which is a macro with casts of its own. The name is copied.
    if (!is_address() && SSL_ctrl(&session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                  const_cast<char*>(text_.c_str())) != 1)
        return false;
    if (!verified)
        return true;
    X509_VERIFY_PARAM* const rules = SSL_get0_param(&session);
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (is_address())
        return set_address(rules, *address_);
    return X509_VERIFY_PARAM_set1_host(rules, text_.data(), text_.size()) == 1;
}

} // namespace postrider::net
