// SPDX-License-Identifier: MIT
#pragma once
// app/daemon: a process that leaves its terminal, and tells whoever started it how the start went.

#include "net/asio.hpp"

#include <boost/asio/execution_context.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace postrider::app {

/// The process that was started and waits: it is told once, and ends with what it was told.
class waiting_caller {
public:
    waiting_caller() = default; ///< nobody waits
    explicit waiting_caller(int pipe) noexcept : pipe_(pipe) {}
    waiting_caller(waiting_caller&& other) noexcept : pipe_(std::exchange(other.pipe_, -1)) {}
    waiting_caller& operator=(waiting_caller&& other) noexcept
    {
        std::swap(pipe_, other.pipe_);
        return *this;
    }
    ~waiting_caller();

    bool waits() const noexcept { return pipe_ >= 0; }

    /// Its exit status, and what it says on standard error before. Later calls do nothing.
    void tell(int status, std::string_view sentence) noexcept;

private:
    int pipe_ = -1;
};

/// Returns in a new process: without a terminal (two forks and setsid(2) between them), its standard
/// streams on /dev/null, and what was open on `loop` in order. The process that called it waits until it
/// is told, says the sentence, and ends without running anything else of the program; a daemon that ends
/// without a word has failed (70). Throws run_failure, 71.
waiting_caller become_daemon(asio::execution_context& loop, const std::string& program);

} // namespace postrider::app
