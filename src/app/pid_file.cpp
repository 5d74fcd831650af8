// SPDX-License-Identifier: MIT
// app/pid_file: created, locked, looked at again, and only then believed.

#include "app/pid_file.hpp"

#include "app/run_failure.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

namespace postrider::app {
namespace {

constexpr std::size_t number_octets_max = 32;
constexpr int attempts_max = 100; // each is lost to another process that ended in that moment

run_failure trouble(const std::string& path)
{
    return refusal_of_the_system(exit_cannot_create,
                                 fmt::format("cannot make the pidfile {}", base::escaped(path)), errno);
}

/// What stands in the file, one octet more than a number can have.
std::string content_of(int descriptor)
{
    char octets[number_octets_max + 1];
    const auto n = ::pread(descriptor, octets, sizeof octets, 0);
    return n <= 0 ? std::string() : std::string(octets, static_cast<std::size_t>(n));
}

std::optional<long> number_in(std::string_view content)
{
    content = base::trim(content);
    long number = 0;
    const auto [end, failed] = std::from_chars(content.data(), content.data() + content.size(), number);
    if (failed != std::errc() || end != content.data() + content.size() || number <= 0)
        return std::nullopt;
    return number;
}

run_failure another_one_runs(const std::string& path, int descriptor)
{
    const auto number = number_in(content_of(descriptor));
    const std::string who = number ? fmt::format("PID {}", *number) : "which is just starting";
    return {exit_temporary, fmt::format("another one is running, {} (pidfile {})", who, base::escaped(path))};
}

} // namespace

pid_file::pid_file(std::string path) : path_(std::move(path))
{
    try {
        for (int attempt = 0; attempt < attempts_max; ++attempt) {
            open_and_lock();
            if (lies_at_its_path()) {
                check_content();
                return;
            }
            ::close(std::exchange(descriptor_, -1));
        }
        errno = EAGAIN;
        throw trouble(path_);
    } catch (...) {
        if (descriptor_ >= 0)
            ::close(descriptor_);
        throw;
    }
}

pid_file::~pid_file() { remove(); }

// No symbolic link is followed: in a directory that others may write to it could lead to any file.
void pid_file::open_and_lock()
{
    descriptor_ =
        ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
    if (descriptor_ < 0)
        throw trouble(path_);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0)
        return;
    if (errno == EWOULDBLOCK)
        throw another_one_runs(path_, descriptor_);
    throw trouble(path_);
}

// Whoever had it before may have removed it between our opening and our locking it; then another process
// can create one of its own, and lock that.
bool pid_file::lies_at_its_path() const noexcept
{
    struct stat ours{}, theirs{};
    return ::fstat(descriptor_, &ours) == 0 && ::lstat(path_.c_str(), &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

void pid_file::check_content()
{
    struct stat facts{};
    const std::string content = content_of(descriptor_);
    left_by_ = number_in(content);
    if (::fstat(descriptor_, &facts) != 0 || !S_ISREG(facts.st_mode) || (!content.empty() && !left_by_))
        throw run_failure(exit_cannot_create,
                          fmt::format("{} is no pidfile: something else is in it", base::escaped(path_)));
    if (::ftruncate(descriptor_, 0) != 0)
        throw trouble(path_);
}

void pid_file::write_number()
{
    const std::string number = fmt::format("{}\n", ::getpid());
    if (::pwrite(descriptor_, number.data(), number.size(), 0) != static_cast<ssize_t>(number.size()))
        throw refusal_of_the_system(exit_io, fmt::format("cannot write the pidfile {}", base::escaped(path_)),
                                    errno);
}

void pid_file::remove() noexcept
{
    if (descriptor_ < 0)
        return;
    const bool gone = !path_.empty() && lies_at_its_path() && ::unlink(path_.c_str()) == 0;
    if (!gone)
        (void)!::ftruncate(descriptor_, 0);
    ::close(std::exchange(descriptor_, -1));
}

} // namespace postrider::app
