// SPDX-License-Identifier: MIT
// app/reason: exceptions, put into words.

#include "postrider/app/reason.hpp"

#include "app/type_name.hpp"

#include <boost/system/system_error.hpp>

#include <cxxabi.h>
#include <typeinfo>
#include <utility>

namespace postrider::app {
namespace {

// Library wrappers hide what was thrown: boost::wrapexcept<X> and std::_Nested_exception<X> are an X.
std::string exception_name(const std::type_info& type)
{
    std::string name = type_name(type);
    for (const std::string_view wrapper : {"boost::wrapexcept<", "std::_Nested_exception<"})
        if (name.starts_with(wrapper) && name.ends_with('>'))
            name = name.substr(wrapper.size(), name.size() - wrapper.size() - 1);
    if (const std::size_t inner = name.find("__cxx11::"); inner != std::string::npos)
        name.erase(inner, 9);
    return name;
}

std::error_code code_of(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const std::system_error& e) {
        return e.code();
    } catch (const boost::system::system_error& e) {
        return e.code();
    } catch (...) {
        return {};
    }
}

constexpr int causes_max = 8;

/// One exception; `cause` is the one that is nested in it, if there is one.
std::string describe(const std::exception_ptr& thrown, std::exception_ptr& cause)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        if (const auto* nested = dynamic_cast<const std::nested_exception*>(&e))
            cause = nested->nested_ptr();
        const std::string name = exception_name(typeid(e));
        return name == e.what() ? name : name + ": " + e.what();
    } catch (...) {
        const std::type_info* type = abi::__cxa_current_exception_type();
        return type ? type_name(*type) : "an exception that is not of C++";
    }
}

} // namespace

reason::reason(std::exception_ptr thrown) : thrown_(std::move(thrown))
{
    if (!thrown_)
        return;
    why_ = code_of(thrown_);
    sentence_ = "a callback threw " + description_of(thrown_);
}

std::string description_of(const std::exception_ptr& thrown)
{
    std::string whole;
    std::exception_ptr next = thrown;
    for (int depth = 0; next && depth < causes_max; ++depth)
        whole += (depth == 0 ? "" : "; caused by ") + describe(std::exchange(next, nullptr), next);
    return whole.empty() ? "nothing" : whole;
}

} // namespace postrider::app
