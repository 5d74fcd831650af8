// SPDX-License-Identifier: MIT
// unit/net/tls_context: files that are no good are found when they are read, and named.
#include "net/tls_stream.hpp"

#include "support/sim_authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <system_error>

namespace postrider::net {
namespace {

using testing::EndsWith;
using testing::StartsWith;

class tls_context_test : public testing::Test {
protected:
    std::string write(const std::string& name, const std::string& content)
    {
        const std::string path = (authority.folder() / name).string();
        std::ofstream(path) << content;
        return path;
    }

    template <class Settings>
    static std::system_error problem(const Settings& how)
    {
        try {
            (void)make_tls_context(how);
        } catch (const std::system_error& e) {
            return e;
        }
        ADD_FAILURE() << "nothing is wrong";
        return std::system_error(std::error_code());
    }

    test::sim_authority authority;
    test::sim_authority::files good = authority.issue();
};

TEST_F(tls_context_test, good_files)
{
    EXPECT_TRUE(make_tls_context(tls_server_settings(good.certificate, good.key)));
    EXPECT_TRUE(make_tls_context(tls_client_settings()));
    EXPECT_TRUE(make_tls_context(
        tls_client_settings().trust(authority.file()).certificate(good.certificate, good.key)));
}

TEST_F(tls_context_test, files_that_cannot_be_read)
{
    const std::system_error gone = problem(tls_server_settings("/nowhere/server.pem", good.key));
    EXPECT_EQ(gone.code(), std::errc::no_such_file_or_directory);
    EXPECT_STREQ(gone.what(), "the certificate /nowhere/server.pem: No such file or directory");
    EXPECT_STREQ(problem(tls_server_settings(good.certificate, "/nowhere/server.key")).what(),
                 "the key /nowhere/server.key: No such file or directory");
    EXPECT_STREQ(problem(tls_client_settings().trust("/nowhere/ca.pem")).what(),
                 "the trusted certificates /nowhere/ca.pem: No such file or directory");
    EXPECT_STREQ(problem(tls_client_settings().trust(authority.folder().string())).what(),
                 ("the trusted certificates " + authority.folder().string() + ": Is a directory").c_str());
    EXPECT_STREQ(problem(tls_server_settings(authority.folder().string(), good.key)).what(),
                 ("the certificate " + authority.folder().string() + ": Is a directory").c_str());
    EXPECT_STREQ(problem(tls_server_settings(good.certificate, authority.folder().string())).what(),
                 ("the key " + authority.folder().string() + ": Is a directory").c_str());
}

TEST_F(tls_context_test, files_of_another_kind)
{
    const std::string text = write("text", "this is no PEM\n");
    EXPECT_STREQ(problem(tls_server_settings(text, good.key)).what(),
                 ("the certificate " + text + ": there is no certificate in PEM in it").c_str());
    EXPECT_STREQ(problem(tls_server_settings(good.key, good.key)).what(),
                 ("the certificate " + good.key + ": there is no certificate in PEM in it").c_str());
    EXPECT_STREQ(problem(tls_server_settings(good.certificate, text)).what(),
                 ("the key " + text + ": there is no private key in PEM in it").c_str());
    EXPECT_STREQ(problem(tls_client_settings().trust(text)).what(),
                 ("the trusted certificates " + text + ": there is no certificate in PEM in it").c_str());
    EXPECT_STREQ(problem(tls_client_settings().trust(write("empty", ""))).what(),
                 ("the trusted certificates " + (authority.folder() / "empty").string() +
                  ": there is no certificate in PEM in it")
                     .c_str());
    const std::string broken =
        write("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    EXPECT_EQ(problem(tls_server_settings(broken, good.key)).code(), std::errc::invalid_argument);
}

TEST_F(tls_context_test, a_key_of_another_certificate)
{
    const auto other = authority.issue();
    EXPECT_STREQ(problem(tls_server_settings(good.certificate, other.key)).what(),
                 ("the key " + other.key + ": it does not belong to the certificate").c_str());
    EXPECT_STREQ(problem(tls_client_settings().certificate(good.certificate, other.key)).what(),
                 ("the key " + other.key + ": it does not belong to the certificate").c_str());
}

TEST_F(tls_context_test, a_key_under_a_passphrase_asks_nobody)
{
    const std::string locked = authority.lock(good.key, "secret");
    EXPECT_STREQ(
        problem(tls_server_settings(good.certificate, locked)).what(),
        ("the key " + locked + ": it is protected by a passphrase, which nobody can be asked for").c_str());
}

} // namespace
} // namespace postrider::net
