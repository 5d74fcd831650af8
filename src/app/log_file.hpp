// SPDX-License-Identifier: MIT
#pragma once
// app/log_file: the log in a file that has a name, which somebody may give to another file.
//
// A new file is opened before the old one is let go, so that there is always one to write to; what cannot
// be done is said in it, and it stays. Appending makes several processes possible for writing, but only
// one of them may rotate. A name may be a symbolic link (/dev/stderr is one): who may make links in the
// directory of the log is trusted, or the kernel's protected_symlinks watches over it.

#include "app/log_descriptor.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace postrider::app {

/// How many rotated files are kept: path.1, the youngest, to path.9.
inline constexpr int rotated_logs_max = 9;

/// A file that is open, and closed with its owner.
class open_file {
public:
    explicit open_file(int descriptor) noexcept : descriptor_(descriptor) {}
    open_file(open_file&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    open_file& operator=(open_file&& other) noexcept
    {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~open_file();

    int descriptor() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

/// Opens `path` for appending, mode 0640 when it is new. Throws std::system_error with the path in it.
open_file open_for_log(const std::string& path);

class log_file final : public log_descriptor {
public:
    /// `path` is absolute, so that it means the same after a chdir(2).
    log_file(std::string path, open_file file, std::unique_ptr<spdlog::formatter> form,
             std::atomic<std::uint64_t>& lost);

    // False: it could not be done, which was said, or there is nothing to rotate.
    bool reopen();
    bool rotate();
    void give_to(uid_t user, gid_t group);

private:
    void take(open_file file);
    void move_aside() const;
    void put_back() const noexcept;
    bool own_it(int descriptor) const noexcept;

    std::string path_;
    open_file file_;
    std::optional<std::pair<uid_t, gid_t>> owner_; // given to
};

} // namespace postrider::app
