// SPDX-License-Identifier: MIT
#pragma once
// base/result: a value, or the problem that kept it from being one.
//
// For parsing and checking, where a "no" is an ordinary answer: addresses, configuration, DNS
// messages. A problem says what is wrong in a sentence and where in the input it stands. What goes
// wrong in the outside world (connections, files) is an error_code instead (postrider/error.hpp).

#include <cstddef>
#include <string>
#include <utility>
#include <variant>

namespace postrider {

/// What is wrong with an input, in words for the person who wrote it. Text of the input inside
/// `what` is already escaped and bounded.
struct problem {
    std::string what;
    std::size_t at = std::string::npos; ///< octet offset in the input; npos: the whole of it
};

template <class T>
class [[nodiscard]] result {
public:
    result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    result(postrider::problem p) : state_(std::in_place_index<1>, std::move(p)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    /// The value. Asking for it when there is a problem throws std::bad_variant_access.
    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    /// The problem. Asking for it when there is a value throws std::bad_variant_access.
    const postrider::problem& problem() const { return std::get<1>(state_); }

private:
    std::variant<T, postrider::problem> state_;
};

} // namespace postrider
