// SPDX-License-Identifier: MIT
// cli/standard_input: mapped, streamed, or put aside.

#include "cli/standard_input.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace postrider::cli {
namespace {

namespace asio = boost::asio;

[[noreturn]] void fail(const char* doing) { throw std::system_error(errno, std::generic_category(), doing); }

// Reads what is there. The descriptor stays in blocking mode: it is shared with whoever started us,
// and would stay non-blocking for them.
class pipe_reader final : public body_reader {
public:
    explicit pipe_reader(asio::any_io_executor executor)
        : input_(std::move(executor), ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3))
    {
    }

    status read(std::string_view& range) override
    {
        std::size_t filled = 0;
        while (filled < buffer_.size() && readable()) {
            const ssize_t n = ::read(STDIN_FILENO, buffer_.data() + filled, buffer_.size() - filled);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0) {
                why_ = std::string("reading standard input: ") + std::strerror(errno);
                return status::failed;
            }
            if (n == 0) {
                range = {buffer_.data(), filled};
                return status::last;
            }
            filled += static_cast<std::size_t>(n);
        }
        range = {buffer_.data(), filled};
        return filled > 0 ? status::ready : status::waiting;
    }

    void async_wait(asio::any_completion_handler<void(boost::system::error_code)> done) override
    {
        input_.async_wait(asio::posix::stream_descriptor::wait_read, std::move(done));
    }

    void cancel() override
    {
        boost::system::error_code ignored;
        input_.cancel(ignored);
    }

    std::string why() const override { return why_; }

private:
    static bool readable()
    {
        pollfd p{STDIN_FILENO, POLLIN, 0};
        return ::poll(&p, 1, 0) > 0;
    }

    asio::posix::stream_descriptor input_;
    std::vector<char> buffer_ = std::vector<char>(64 * 1024);
    std::string why_;
};

class pipe_source final : public body_source {
public:
    explicit pipe_source(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    std::unique_ptr<body_reader> open() override
    {
        return std::exchange(opened_, true) ? nullptr : std::make_unique<pipe_reader>(executor_);
    }

private:
    asio::any_io_executor executor_;
    bool opened_ = false;
};

void write_all(int to, const char* octets, std::size_t n)
{
    while (n > 0) {
        const ssize_t written = ::write(to, octets, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            throw cannot_put_aside(errno, std::generic_category(), "putting standard input aside");
        octets += written;
        n -= static_cast<std::size_t>(written);
    }
}

body put_aside()
{
    const char* const given = std::getenv("TMPDIR");
    const std::string folder = given != nullptr && *given != '\0' ? given : "/tmp";
    const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0)
        throw cannot_put_aside(errno, std::generic_category(), "making a temporary file in " + folder);
    std::array<char, 64 * 1024> buffer;
    try {
        for (;;) {
            const ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                fail("reading standard input");
            if (n == 0)
                break;
            write_all(file, buffer.data(), static_cast<std::size_t>(n));
        }
        body kept = body::file("/proc/self/fd/" + std::to_string(file));
        ::close(file);
        return kept;
    } catch (...) {
        ::close(file);
        throw;
    }
}

} // namespace

body standard_input(asio::any_io_executor executor, bool needed_again)
{
    struct stat about = {};
    if (::fstat(STDIN_FILENO, &about) != 0)
        fail("standard input");
    if ((::fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY) { // closed, when the program began
        errno = EBADF;
        fail("standard input");
    }
    if (S_ISDIR(about.st_mode)) {
        errno = EISDIR;
        fail("standard input");
    }
    // From where somebody has read already the rest is streamed like a pipe.
    if (S_ISREG(about.st_mode) && ::lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
        return body::file("/proc/self/fd/0");
    if (needed_again || S_ISREG(about.st_mode))
        return put_aside();
    return body(std::make_shared<pipe_source>(std::move(executor)));
}

} // namespace postrider::cli
