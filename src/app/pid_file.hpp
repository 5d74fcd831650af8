// SPDX-License-Identifier: MIT
#pragma once
// app/pid_file: the file that holds the number of a running process, and keeps a second one from starting.
//
// The process locks the file (flock(2)) as long as it lives, and the lock is what counts: it goes with
// the process however that ends, and passes to a daemon across fork(2). A file that nobody has locked is
// stale, whatever number stands in it and whoever has that number now.

#include <optional>
#include <string>

namespace postrider::app {

class pid_file {
public:
    /// Creates or takes over the file, and locks it; no number is in it yet. Throws run_failure: 75 if
    /// another process has it, with its PID; 73 if it cannot be made, or is no pidfile but a file with
    /// something else in it, which is left as it is.
    explicit pid_file(std::string path);
    ~pid_file(); ///< remove()
    pid_file(const pid_file&) = delete;
    pid_file& operator=(const pid_file&) = delete;

    /// Of the process that left the file behind; nothing if there was none.
    const std::optional<long>& left_by() const noexcept { return left_by_; }
    const std::string& path() const noexcept { return path_; }

    /// The number of this process. Throws run_failure, 74, if the disk is full.
    void write_number();

    /// The process has changed its root: the file has this path from now on, or none.
    void found_at(std::optional<std::string> path) { path_ = path.value_or(""); }

    /// Takes the file away. Where a process that is not root any longer may not, it is emptied: an empty
    /// one says that its process ended in order.
    void remove() noexcept;

private:
    void open_and_lock();
    bool lies_at_its_path() const noexcept;
    void check_content();

    std::string path_;
    int descriptor_ = -1;
    std::optional<long> left_by_;
};

} // namespace postrider::app
