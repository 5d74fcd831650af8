// SPDX-License-Identifier: MIT
// app/reason: exceptions, put into words.

#include "postrider/app/reason.hpp"

#include "app/type_name.hpp"

#include <boost/system/system_error.hpp>

#include <cxxabi.h>
#include <typeinfo>

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
    if (!thrown)
        return "nothing";
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        const std::string name = exception_name(typeid(e));
        return name == e.what() ? name : name + ": " + e.what();
    } catch (...) {
        const std::type_info* type = abi::__cxa_current_exception_type();
        return type ? type_name(*type) : "an exception that is not of C++";
    }
}

} // namespace postrider::app
