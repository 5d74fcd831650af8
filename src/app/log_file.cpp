// SPDX-License-Identifier: MIT
// app/log_file: the log in a file that has a name, which somebody may give to another file.

#include "app/log_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace postrider::app {

namespace {

std::system_error trouble(const char* what, const std::string& path)
{
    return {errno, std::generic_category(), fmt::format("cannot {} the log {}", what, path)};
}

bool is_regular(int descriptor) noexcept
{
    struct stat facts{};
    return ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
}

bool is_there(const std::string& path) noexcept
{
    struct stat facts{};
    return ::lstat(path.c_str(), &facts) == 0;
}

std::string rotated(const std::string& path, int n) { return fmt::format("{}.{}", path, n); }

// The place that a rotated file can move up to: the first that is free, so that no older one is lost
// for nothing, or the last, whose file is old enough.
int first_free(const std::string& path)
{
    int n = 1;
    while (n < rotated_logs_max && is_there(rotated(path, n)))
        ++n;
    return n;
}

} // namespace

open_file::~open_file()
{
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

open_file open_for_log(const std::string& path)
{
    // O_NONBLOCK only while it is opened: a FIFO without a reader is an error, not a wait without end.
    open_file file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640));
    if (file.descriptor() < 0)
        throw trouble("open", path);
    // The standard descriptors may be closed; a daemon's /dev/null would then take the log's place.
    if (file.descriptor() <= STDERR_FILENO)
        file = open_file(::fcntl(file.descriptor(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (file.descriptor() < 0 || ::fcntl(file.descriptor(), F_SETFL, O_APPEND) != 0)
        throw trouble("open", path);
    return file;
}

log_file::log_file(std::string path, open_file file, std::unique_ptr<spdlog::formatter> form,
                   std::atomic<std::uint64_t>& lost)
    : log_descriptor(file.descriptor(), std::move(form), lost), path_(std::move(path)), file_(std::move(file))
{
}

bool log_file::reopen()
{
    try {
        take(open_for_log(path_));
        return true;
    } catch (const std::system_error& error) {
        say(spdlog::level::err, error.what());
        return false;
    }
}

bool log_file::rotate()
{
    if (!is_regular(descriptor()))
        return false;
    try {
        move_aside();
    } catch (const std::system_error& error) {
        say(spdlog::level::err, error.what());
        return false;
    }
    const bool begun = reopen();
    if (!begun)
        put_back();
    return begun;
}

void log_file::give_to(uid_t user, gid_t group)
{
    owner_.emplace(user, group);
    if (!own_it(descriptor()))
        say(spdlog::level::warn, trouble("give away", path_).what());
}

void log_file::take(open_file file)
{
    if (owner_)
        own_it(file.descriptor()); // who was root no longer cannot, and need not: the file is theirs
    use(file.descriptor());
    file_ = std::move(file);
}

// Leaves the name free. It may be free already, if somebody else moved the file.
void log_file::move_aside() const
{
    for (int n = first_free(path_); n > 1; --n)
        if (::rename(rotated(path_, n - 1).c_str(), rotated(path_, n).c_str()) != 0)
            throw trouble("rotate", path_);
    if (::rename(path_.c_str(), rotated(path_, 1).c_str()) != 0 && errno != ENOENT)
        throw trouble("rotate", path_);
}

// The file that goes on keeps its name. The gap at path.1 is filled by the next rotation.
void log_file::put_back() const noexcept { ::rename(rotated(path_, 1).c_str(), path_.c_str()); }

// A terminal or a pipe is not ours to give.
bool log_file::own_it(int descriptor) const noexcept
{
    return !is_regular(descriptor) || ::fchown(descriptor, owner_->first, owner_->second) == 0;
}

} // namespace postrider::app
