// SPDX-License-Identifier: MIT
// app/pid_file_test: files in a folder of their own, and other processes that hold them.

#include "app/pid_file.hpp"

#include "app/run_failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

namespace postrider::app {
namespace {

using testing::HasSubstr;

class pid_file_test : public testing::Test {
protected:
    pid_file_test()
    {
        std::string name = testing::TempDir() + "postrider-pid-XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~pid_file_test() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& name = "x.pid") const { return (folder_ / name).string(); }

    void write(const std::string& text) const { std::ofstream(path()) << text; }
    std::string read() const
    {
        std::ifstream file(path());
        return {std::istreambuf_iterator<char>(file), {}};
    }

    std::filesystem::path folder_;
};

struct refusal {
    exit_status status = exit_ok;
    std::string sentence;
};

refusal refusal_of(const std::string& path)
{
    try {
        const pid_file file(path);
        return {};
    } catch (const run_failure& f) {
        return {f.status(), f.what()};
    }
}

TEST_F(pid_file_test, holds_the_number_of_the_process_until_it_goes)
{
    {
        pid_file file(path());
        EXPECT_EQ(read(), "");
        file.write_number();
        EXPECT_EQ(read(), std::to_string(::getpid()) + "\n");
        EXPECT_FALSE(file.left_by());
    }
    EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(pid_file_test, of_another_one_is_refused_with_its_number)
{
    pid_file first(path());
    EXPECT_THAT(refusal_of(path()).sentence, HasSubstr("another one is running, which is just starting"));
    first.write_number();
    const refusal second = refusal_of(path());
    EXPECT_EQ(second.status, exit_temporary);
    EXPECT_EQ(second.sentence,
              "another one is running, PID " + std::to_string(::getpid()) + " (pidfile " + path() + ")");
    EXPECT_EQ(read(), std::to_string(::getpid()) + "\n") << "refused, and changed all the same";
}

/// Two pipes: closing the one tells a process to end, and the other tells that it has.
struct remote_control {
    int go[2], gone[2];
    remote_control()
    {
        if (::pipe(go) != 0 || ::pipe(gone) != 0)
            throw std::runtime_error("pipe");
    }
    void wait_until_told() const
    {
        ::close(go[1]);
        char end = 0;
        (void)!::read(go[0], &end, 1);
    }
    void tell_and_wait() const
    {
        ::close(go[1]);
        ::close(gone[1]);
        char end = 0;
        (void)!::read(gone[0], &end, 1);
    }
};

TEST_F(pid_file_test, passes_to_a_daemon)
{
    const remote_control daemon;
    const pid_t caller = ::fork();
    if (caller == 0) {
        pid_file file(path());
        if (::fork() > 0)
            ::_exit(0); // without a word, as a caller ends
        daemon.wait_until_told();
        file.remove();
        ::_exit(0);
    }
    ::waitpid(caller, nullptr, 0);
    EXPECT_EQ(refusal_of(path()).status, exit_temporary);
    daemon.tell_and_wait();
    EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(pid_file_test, is_stale_when_nobody_holds_it)
{
    write("1\n"); // lives, and has never heard of it
    const pid_file file(path());
    EXPECT_EQ(file.left_by(), 1);
    EXPECT_EQ(read(), "") << "a number that is not ours can still be read";
}

TEST_F(pid_file_test, that_is_empty_was_left_in_order)
{
    write("");
    EXPECT_FALSE(pid_file(path()).left_by());
}

TEST_F(pid_file_test, with_something_else_in_it_is_left_alone)
{
    for (const char* text :
         {"Dear Bob,\n", "12 and more\n", "-12\n", "0\n", "12345678901234567890123456789012345\n"}) {
        write(text);
        const refusal r = refusal_of(path());
        EXPECT_EQ(r.status, exit_cannot_create) << text;
        EXPECT_THAT(r.sentence, HasSubstr("is no pidfile"));
        EXPECT_EQ(read(), text);
    }
}

TEST_F(pid_file_test, is_no_link_no_folder_and_no_fifo)
{
    write("");
    std::filesystem::create_symlink(path(), path("link"));
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    for (const std::string& name : {path("link"), folder_.string(), path("fifo"), path("no/such/folder")})
        EXPECT_EQ(refusal_of(name).status, exit_cannot_create) << name;
}

TEST_F(pid_file_test, that_is_another_ones_by_now_is_not_removed)
{
    pid_file file(path());
    std::filesystem::remove(path());
    write("somebody else's");
    file.remove();
    EXPECT_EQ(read(), "somebody else's");
}

TEST_F(pid_file_test, out_of_reach_is_emptied)
{
    pid_file file(path());
    file.write_number();
    file.found_at(std::nullopt);
    file.remove();
    EXPECT_TRUE(std::filesystem::exists(path()));
    EXPECT_EQ(read(), "");
}

} // namespace
} // namespace postrider::app
