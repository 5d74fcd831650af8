// SPDX-License-Identifier: MIT
// app/standard_streams: what stands in for streams that nobody gave.

#include "app/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace postrider::app {
namespace {

constexpr int streams[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};

} // namespace

bool fill_standard_streams() noexcept
{
    for (const int stream : streams)
        if (::fcntl(stream, F_GETFD) < 0 &&
            ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return false;
    return true;
}

bool silence_standard_streams() noexcept
{
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere < 0)
        return false;
    for (const int stream : streams)
        if (::dup2(nowhere, stream) < 0)
            return false;
    ::close(nowhere);
    return true;
}

} // namespace postrider::app
