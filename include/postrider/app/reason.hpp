// SPDX-License-Identifier: MIT
#pragma once
// app/reason: why a connection ended, or did not come about.

#include <exception>
#include <string>
#include <string_view>
#include <system_error>

namespace postrider::app {

class reason {
public:
    reason() = default; ///< closed in peace, by this side
    reason(std::error_code why, std::string sentence) : why_(why), sentence_(std::move(sentence)) {}

    /// An exception that left a callback.
    explicit reason(std::exception_ptr thrown);

    /// This side closed it, or the other did so after the last octet (error::connection_lost and
    /// nothing cut off): nothing is wrong with that by itself; the protocol knows whether it was time.
    bool clean() const noexcept { return !why_ && !thrown_; }

    const std::error_code& error() const noexcept { return why_; }

    /// For people: "cannot connect to mail.example.org:25 (192.0.2.1:25): connection refused".
    const std::string& sentence() const noexcept { return sentence_; }

    /// The exception of the callback that failed; nothing if none did.
    const std::exception_ptr& thrown() const noexcept { return thrown_; }

private:
    std::error_code why_;
    std::string sentence_ = "the connection was closed";
    std::exception_ptr thrown_;
};

/// An exception, for a log: "std::runtime_error: no such row"; with what is nested in it
/// (std::throw_with_nested) behind a semicolon: "; caused by std::system_error: ...". Of anything else that
/// was thrown, the type.
std::string description_of(const std::exception_ptr& thrown);

} // namespace postrider::app
