// SPDX-License-Identifier: MIT
// unit/net/tls_trouble: numbers into words.
#include "net/tls_trouble.hpp"

#include "postrider/error.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <gtest/gtest.h>

namespace postrider::net {
namespace {

TEST(tls_trouble, alerts)
{
    EXPECT_EQ(alert_name(48), "unknown ca");
    EXPECT_EQ(alert_name(99), "alert 99");
    EXPECT_EQ(alert_meaning(10), "");
    EXPECT_EQ(tls_alert_category().message(116),
              "the peer ended TLS: certificate required: it wants a certificate of this side");
    EXPECT_EQ(tls_alert_category().message(10), "the peer ended TLS: unexpected message");
}

TEST(tls_trouble, takes_the_cause_and_empties_the_queue)
{
    OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr); // as every context does
    ERR_raise(ERR_LIB_SSL, SSL_R_UNSUPPORTED_PROTOCOL);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_EXTENSION);
    const tls_trouble t = tls_trouble::take();
    EXPECT_TRUE(t.found());
    EXPECT_TRUE(t.is_version());
    EXPECT_FALSE(t.is_alert());
    EXPECT_EQ(t.words(), "unsupported protocol");
    EXPECT_EQ(t.code(), make_error_code(error::tls_failed));
    EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(tls_trouble, what_the_peer_said)
{
    ERR_raise(ERR_LIB_SSL, SSL_AD_REASON_OFFSET + 116);
    const tls_trouble t = tls_trouble::take();
    EXPECT_TRUE(t.is_alert());
    EXPECT_EQ(t.alert(), 116);
    EXPECT_EQ(t.code(), std::error_code(116, tls_alert_category()));
    EXPECT_EQ(std::error_code(t.code()).default_error_condition().value(),
              static_cast<int>(error::tls_failed));
}

TEST(tls_trouble, certificates)
{
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    const tls_trouble t = tls_trouble::take();
    EXPECT_TRUE(t.is_certificate());
    EXPECT_EQ(t.code(), make_error_code(error::certificate_refused));
}

TEST(tls_trouble, nothing)
{
    ERR_clear_error();
    const tls_trouble t = tls_trouble::take();
    EXPECT_FALSE(t.found());
    EXPECT_EQ(t.code(), make_error_code(error::tls_failed));
    EXPECT_EQ(t.words(), "no reason is known");
}

} // namespace
} // namespace postrider::net
