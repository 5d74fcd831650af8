// SPDX-License-Identifier: MIT
// net/tls_refusal: certificates read for people.

#include "net/tls_refusal.hpp"

#include "base/text.hpp"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <string_view>
#include <vector>

namespace postrider::net {
namespace {

constexpr std::size_t name_octets_max = 100;
constexpr std::size_t names_shown_max = 4;

using names_ptr = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;

std::string_view octets_of(const ASN1_STRING* text)
{
    const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
    return {data, static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string date_of(const ASN1_TIME* when)
{
    std::tm date{};
    if (ASN1_TIME_to_tm(when, &date) != 1)
        return "a date that cannot be read";
    return fmt::format("{:04}-{:02}-{:02}", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday);
}

// What people call the owner of a name: its common name, or else its organisation.
std::string name_of(const X509_NAME* whole)
{
    for (const int kind : {NID_commonName, NID_organizationName}) {
        const int at = X509_NAME_get_index_by_NID(whole, kind, -1);
        if (at >= 0) {
            const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(whole, at));
            return "'" + base::escaped(octets_of(text), name_octets_max) + "'";
        }
    }
    return "somebody without a name";
}

std::string address_of(std::string_view octets)
{
    using namespace boost::asio::ip;
    if (address_v4::bytes_type four; octets.size() == four.size()) {
        std::memcpy(four.data(), octets.data(), four.size());
        return address_v4(four).to_string();
    }
    if (address_v6::bytes_type sixteen; octets.size() == sixteen.size()) {
        std::memcpy(sixteen.data(), octets.data(), sixteen.size());
        return address_v6(sixteen).to_string();
    }
    return "an address that cannot be read";
}

// The hosts that a certificate is for: names and addresses, in its order.
std::vector<std::string> hosts_of(const X509* certificate)
{
    std::vector<std::string> hosts;
    const names_ptr names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_DNS)
            hosts.push_back(base::escaped(octets_of(name->d.dNSName), name_octets_max));
        else if (name->type == GEN_IPADD)
            hosts.push_back(address_of(octets_of(name->d.iPAddress)));
    }
    return hosts;
}

std::string whom_it_is_for(const X509* certificate)
{
    const std::vector<std::string> hosts = hosts_of(certificate);
    if (hosts.empty())
        return " is for no host (the common name in its subject, " +
               name_of(X509_get_subject_name(certificate)) + ", does not count)";
    std::string all = " is for ";
    for (std::size_t i = 0; i < std::min(hosts.size(), names_shown_max); ++i)
        all += (i == 0 ? "" : ", ") + hosts[i];
    if (hosts.size() > names_shown_max)
        all += fmt::format(" and {} more", hosts.size() - names_shown_max);
    return all;
}

} // namespace

void tls_refusal::watch(SSL& session) { SSL_set_app_data(&session, this); }

int tls_refusal::on_verified(int ok, X509_STORE_CTX* checking) noexcept
{
    const auto* session =
        static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(checking, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* refusal = session ? static_cast<tls_refusal*>(SSL_get_app_data(session)) : nullptr;
    X509* const certificate = X509_STORE_CTX_get_current_cert(checking);
    if (ok != 1 && refusal && !refusal->noted()) {
        refusal->why_ = X509_STORE_CTX_get_error(checking);
        refusal->depth_ = X509_STORE_CTX_get_error_depth(checking);
        if (certificate && X509_up_ref(certificate) == 1)
            refusal->certificate_.reset(certificate);
    }
    return ok;
}

std::string tls_refusal::sentence(const std::string& whose, const std::string& trust) const
{
    const std::string trusting = trust.empty() ? "this host" : trust;
    const std::string its = "the certificate of " + whose;
    if (!certificate_)
        return its + " cannot be accepted: " + X509_verify_cert_error_string(why_);
    const std::string signer = name_of(X509_get_issuer_name(certificate_.get()));
    // What is wrong in the chain above is told of the signer, whose certificate it is.
    const std::string subject = depth_ == 0 ? its
                                            : its + " is signed by " +
                                                  name_of(X509_get_subject_name(certificate_.get())) +
                                                  ", whose certificate";
    switch (why_) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return subject + " expired on " + date_of(X509_get0_notAfter(certificate_.get()));
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return subject + " is not valid before " + date_of(X509_get0_notBefore(certificate_.get())) +
               " (or the clock of this host is wrong)";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return its + whom_it_is_for(certificate_.get());
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return its + " is signed by nobody that " + trusting +
               " trusts (self-signed): if it is the right one, trust its file";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return its + " is signed by nobody that " + trusting + " trusts (by " + signer +
               "): if that is the right authority, trust its file";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return its + " is signed by nobody that " + trusting + " trusts (by " + signer +
               "): trust the file of that authority, or have the server send the certificates in between";
    default: return subject + " cannot be accepted: " + X509_verify_cert_error_string(why_);
    }
}

} // namespace postrider::net
