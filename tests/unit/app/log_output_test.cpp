// SPDX-License-Identifier: MIT
// app/log_output_test: that every line arrives, once and whole, whatever becomes of the file.

#include "app/log_output.hpp"

#include "app/log_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <latch>
#include <map>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace postrider::app {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

std::vector<std::string> lines_of(const fs::path& path)
{
    std::vector<std::string> lines;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

/// Without the time.
std::vector<std::string> said_in(const fs::path& path)
{
    auto lines = lines_of(path);
    for (auto& line : lines)
        line.erase(0, line.find('['));
    return lines;
}

struct ::stat facts_of(const fs::path& path)
{
    struct ::stat facts{};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts;
}

/// A limit of the whole process, while this lives.
class limit_of {
public:
    limit_of(__rlimit_resource resource, rlim_t now)
        : resource_(resource), signal_(std::signal(SIGXFSZ, SIG_IGN))
    {
        ::getrlimit(resource_, &before_);
        const rlimit limit{now, before_.rlim_max};
        ::setrlimit(resource_, &limit);
    }
    ~limit_of()
    {
        ::setrlimit(resource_, &before_);
        std::signal(SIGXFSZ, signal_);
    }
    limit_of(const limit_of&) = delete;
    limit_of& operator=(const limit_of&) = delete;

private:
    __rlimit_resource resource_;
    rlimit before_{};
    void (*signal_)(int);
};

class log_output : public testing::Test {
protected:
    log_output()
    {
        std::string pattern = (fs::temp_directory_path() / "log_output_XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
        path = folder / "postrider.log";
    }
    ~log_output() override
    {
        open_log({}); // lets the file go
        fs::remove_all(folder);
    }

    void open(log_level least = log_level::info, bool json = false)
    {
        open_log({.what = log_destination::kind::file,
                  .path = path.string(),
                  .syslog_prefix = {},
                  .json = json,
                  .least = least});
    }

    fs::path rotated(int n) const { return path.string() + "." + std::to_string(n); }

    fs::path folder, path;
    logger log{"x"};
};

TEST_F(log_output, is_one_line_after_the_other)
{
    open();
    log.info("one");
    log.warning("two");
    EXPECT_THAT(lines_of(path),
                ElementsAre(MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+[+-][0-9]+ .x. one"),
                            EndsWith(" [x] warning: two")));
}

TEST_F(log_output, is_json_where_it_should_be)
{
    open(log_level::info, true);
    log.info("one \"two\"");
    EXPECT_THAT(lines_of(path),
                ElementsAre(EndsWith(R"("level":"info","prefix":"x","text":"one \"two\""})")));
}

TEST_F(log_output, begins_at_its_level)
{
    open(log_level::warning);
    log.info("one");
    log.error("two");
    EXPECT_THAT(said_in(path), ElementsAre("[x] error: two"));
}

TEST_F(log_output, is_appended_to)
{
    open();
    log.info("one");
    open();
    log.info("two");
    EXPECT_THAT(said_in(path), ElementsAre("[x] one", "[x] two"));
}

TEST_F(log_output, is_for_its_owner_and_group)
{
    const auto before = ::umask(0);
    open();
    ::umask(before);
    EXPECT_EQ(facts_of(path).st_mode & 07777, 0640u);
}

TEST_F(log_output, has_a_level_again_after_an_observer)
{
    open(log_level::debug);
    set_log_observer([](const log_line&) {}, log_level::error);
    log.error("unseen");
    set_log_observer(nullptr);
    log.debug("seen");
    EXPECT_THAT(said_in(path), ElementsAre("[x] debug: seen"));
}

TEST_F(log_output, stays_where_it_was_if_the_new_one_cannot_be_opened)
{
    open();
    const auto nowhere = (folder / "nowhere" / "x.log").string();
    try {
        open_log({.what = log_destination::kind::file,
                  .path = nowhere,
                  .syslog_prefix = {},
                  .json = true,
                  .least = log_level::error});
        FAIL() << "opened " << nowhere;
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code().value(), ENOENT);
        EXPECT_THAT(error.what(), HasSubstr(nowhere));
    }
    log.info("still here");
    EXPECT_THAT(said_in(path), ElementsAre("[x] still here"));
}

TEST_F(log_output, does_not_wait_for_the_reader_of_a_fifo)
{
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_THROW(open(), std::system_error);
}

TEST_F(log_output, means_the_same_file_after_a_change_of_directory)
{
    const auto before = fs::current_path();
    fs::current_path(folder);
    path = "postrider.log";
    open();
    fs::current_path("/");
    log.info("one");
    reopen_log();
    log.info("two");
    fs::current_path(before);
    EXPECT_THAT(said_in(folder / "postrider.log"), ElementsAre("[x] one", "[x] two"));
}

TEST_F(log_output, is_not_inherited_by_other_programs)
{
    open();
    int found = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        if (fs::read_symlink(entry, gone) != path)
            continue;
        ++found;
        EXPECT_NE(::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC, 0);
    }
    EXPECT_EQ(found, 1);
}

TEST_F(log_output, takes_no_standard_descriptor)
{
    // In a process of its own, whose standard input is closed. A daemon will open /dev/null there.
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(STDIN_FILENO);
        open();
        const bool taken = ::fcntl(STDIN_FILENO, F_GETFD) != -1;
        log.info("from the child");
        ::_exit(taken ? 1 : 0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_THAT(said_in(path), ElementsAre("[x] from the child"));
}

TEST_F(log_output, goes_on_after_a_fork)
{
    open();
    log.info("before");
    const pid_t child = ::fork();
    if (child == 0) {
        log.info("in the child");
        ::_exit(0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    log.info("after");
    EXPECT_THAT(said_in(path), ElementsAre("[x] before", "[x] in the child", "[x] after"));
}

// ---- other files ---------------------------------------------------------------------------------

TEST_F(log_output, follows_its_name_when_it_is_opened_again)
{
    open();
    log.info("one");
    fs::rename(path, folder / "moved");
    log.info("two");
    EXPECT_TRUE(reopen_log());
    log.info("three");
    EXPECT_THAT(said_in(folder / "moved"), ElementsAre("[x] one", "[x] two"));
    EXPECT_THAT(said_in(path), ElementsAre("[x] three"));
}

TEST_F(log_output, stays_in_the_old_file_if_it_cannot_be_opened_again)
{
    open();
    fs::rename(path, folder / "moved");
    fs::create_directory(path);
    EXPECT_FALSE(reopen_log());
    log.info("still here");
    EXPECT_THAT(said_in(folder / "moved"),
                ElementsAre("[log] error: cannot open the log " + path.string() + ": Is a directory",
                            "[x] still here"));
}

TEST_F(log_output, moves_on_when_it_is_rotated)
{
    open();
    for (const auto* text : {"one", "two", "three"}) {
        log.info(text);
        EXPECT_TRUE(rotate_log());
    }
    log.info("four");
    EXPECT_THAT(said_in(path), ElementsAre("[x] four"));
    EXPECT_THAT(said_in(rotated(1)), ElementsAre("[x] three"));
    EXPECT_THAT(said_in(rotated(2)), ElementsAre("[x] two"));
    EXPECT_THAT(said_in(rotated(3)), ElementsAre("[x] one"));
}

TEST_F(log_output, keeps_so_many_rotated_files)
{
    open();
    for (int i = 1; i <= rotated_logs_max + 3; ++i) {
        log.info(std::to_string(i));
        rotate_log();
    }
    EXPECT_THAT(said_in(rotated(rotated_logs_max)), ElementsAre("[x] 4"));
    EXPECT_THAT(said_in(rotated(1)), ElementsAre("[x] 12"));
    EXPECT_FALSE(fs::exists(rotated(rotated_logs_max + 1)));
}

TEST_F(log_output, loses_no_rotated_file_while_there_is_a_gap)
{
    open();
    std::ofstream(rotated(2)) << "[x] old\n";
    log.info("one");
    rotate_log();
    log.info("two");
    rotate_log();
    EXPECT_THAT(said_in(rotated(1)), ElementsAre("[x] two"));
    EXPECT_THAT(said_in(rotated(2)), ElementsAre("[x] one"));
    EXPECT_THAT(said_in(rotated(3)), ElementsAre("[x] old"));
}

TEST_F(log_output, begins_anew_where_somebody_moved_it_before)
{
    open();
    log.info("one");
    fs::rename(path, folder / "moved");
    rotate_log();
    log.info("two");
    EXPECT_THAT(said_in(folder / "moved"), ElementsAre("[x] one"));
    EXPECT_THAT(said_in(path), ElementsAre("[x] two"));
}

TEST_F(log_output, stays_if_it_cannot_be_rotated)
{
    open();
    for (int n = 1; n < rotated_logs_max; ++n)
        std::ofstream(rotated(n)) << n;
    fs::create_directory(rotated(rotated_logs_max));
    EXPECT_FALSE(rotate_log());
    log.info("still here");
    EXPECT_THAT(said_in(path), ElementsAre(HasSubstr("[log] error: cannot rotate the log " + path.string()),
                                           "[x] still here"));
}

// The sanitizer for undefined behaviour needs descriptors of its own: see unit/net/acceptor.
#if !defined(__SANITIZE_ADDRESS__)
TEST_F(log_output, keeps_its_name_if_no_new_file_can_be_opened)
{
    open();
    log.info("one");
    {
        const limit_of none_more(RLIMIT_NOFILE, 3);
        EXPECT_FALSE(rotate_log());
    }
    log.info("two");
    EXPECT_TRUE(rotate_log());
    EXPECT_THAT(said_in(rotated(1)),
                ElementsAre("[x] one",
                            "[log] error: cannot open the log " + path.string() + ": Too many open files",
                            "[x] two"));
    EXPECT_THAT(said_in(path), IsEmpty());
    EXPECT_FALSE(fs::exists(rotated(2)));
}
#endif

TEST_F(log_output, a_device_is_not_rotated)
{
    path = "/dev/null";
    open();
    EXPECT_FALSE(rotate_log());
    log.info("nothing");
    EXPECT_FALSE(fs::exists("/dev/null.1"));
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(log_output, can_be_given_away)
{
    const bool root = ::geteuid() == 0;
    const uid_t user = root ? 65534 : ::geteuid();
    const gid_t group = root ? 65534 : ::getegid();
    open();
    give_log_to(user, group);
    rotate_log();
    for (const auto& file : {path, rotated(1)}) {
        EXPECT_EQ(facts_of(file).st_uid, user);
        EXPECT_EQ(facts_of(file).st_gid, group);
    }
    log.info("hello");
    EXPECT_THAT(said_in(path), ElementsAre("[x] hello"));
}

// ---- threads -------------------------------------------------------------------------------------

// Four threads write numbered lines, and at each tenth of them `meanwhile` is called by this one.
constexpr int writers = 4;
constexpr int lines_each = 3000;

template <class Meanwhile>
void write_from_threads(Meanwhile meanwhile)
{
    std::atomic<int> written = 0;
    std::latch together(writers);
    std::vector<std::jthread> threads;
    for (int t = 0; t < writers; ++t)
        threads.emplace_back([t, &written, &together] {
            const logger mine("thread" + std::to_string(t));
            together.arrive_and_wait();
            for (int i = 0; i < lines_each; ++i) {
                mine.info(std::to_string(i) + " and some words more, so that a torn line would be seen");
                ++written;
                written.notify_all();
            }
        });
    for (int tenth = 1; tenth < 10; ++tenth) {
        for (int n = written; n < writers * lines_each * tenth / 10; n = written)
            written.wait(n);
        meanwhile(tenth);
    }
}

void expect_every_line_once(const fs::path& folder)
{
    std::map<std::string, int> times;
    for (const auto& file : fs::directory_iterator(folder))
        for (const auto& line : said_in(file))
            ++times[line];
    EXPECT_THAT(times, SizeIs(writers * lines_each));
    for (int t = 0; t < writers; ++t)
        for (int i = 0; i < lines_each; ++i) {
            const auto line = "[thread" + std::to_string(t) + "] " + std::to_string(i) +
                              " and some words more, so that a torn line would be seen";
            ASSERT_EQ(times[line], 1) << line;
        }
}

TEST_F(log_output, loses_no_line_while_it_is_rotated)
{
    open();
    write_from_threads([](int) { rotate_log(); });
    EXPECT_TRUE(fs::exists(rotated(9)));
    expect_every_line_once(folder);
}

TEST_F(log_output, loses_no_line_while_others_move_it)
{
    open();
    write_from_threads([this](int tenth) {
        fs::rename(path, folder / ("moved." + std::to_string(tenth)));
        reopen_log();
    });
    EXPECT_TRUE(fs::exists(folder / "moved.9"));
    expect_every_line_once(folder);
}

// ---- what cannot be written ----------------------------------------------------------------------

TEST_F(log_output, counts_what_a_full_disk_took_and_says_so_later)
{
    fs::create_symlink("/dev/full", path);
    open();
    const auto before = lines_lost();
    for (int i = 0; i < 3; ++i)
        log.info("lost");
    EXPECT_EQ(lines_lost(), before + 3);

    fs::remove(path);
    reopen_log();
    log.info("first");
    log.info("second");
    EXPECT_EQ(lines_lost(), before + 3);
    EXPECT_THAT(said_in(path),
                ElementsAre("[log] warning: 3 lines could not be written: No space left on device",
                            "[x] first", "[x] second"));
}

TEST_F(log_output, begins_a_line_after_one_that_was_torn)
{
    open();
    const auto before = lines_lost();
    {
        const limit_of small(RLIMIT_FSIZE, 40);
        log.info("this one does not fit into the forty octets that a file may have");
    }
    EXPECT_EQ(lines_lost(), before + 1);
    log.info("whole");
    EXPECT_THAT(said_in(path),
                ElementsAre("[x] this one do", "[log] warning: 1 line could not be written: File too large",
                            "[x] whole"));
}

} // namespace
} // namespace postrider::app
