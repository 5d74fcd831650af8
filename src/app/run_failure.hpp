// SPDX-License-Identifier: MIT
#pragma once
// app/run_failure: why a program cannot run: a sentence for people, and the exit status that goes with it.

#include "app/exit_status.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <system_error>

namespace postrider::app {

class run_failure : public std::runtime_error {
public:
    run_failure(exit_status status, const std::string& sentence)
        : std::runtime_error(sentence), status_(status)
    {
    }
    exit_status status() const noexcept { return status_; }

private:
    exit_status status_;
};

/// "cannot change to /srv: No such file or directory", for an `error` of errno's.
inline run_failure refusal_of_the_system(exit_status status, const std::string& what, int error)
{
    return {status, fmt::format("{}: {}", what, std::generic_category().message(error))};
}

} // namespace postrider::app
