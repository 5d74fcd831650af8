// SPDX-License-Identifier: MIT
// app/class_name: classes wherever they stand.

#include "app/class_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>

namespace postrider::app {

struct named {
    struct inner {};
};
template <class... T>
struct sorted {
    struct inner {};
};
template <auto Value>
struct with_value {};

template <class T>
auto local_of(T)
{
    struct local {};
    return local();
}

namespace {

using testing::AnyOf;

struct hidden {};

template <class T>
std::string name_of(const T&)
{
    return class_name(typeid(T));
}

TEST(class_name, leaves_namespaces_out)
{
    EXPECT_EQ(name_of(named()), "named");
    EXPECT_EQ(name_of(named::inner()), "inner");
    EXPECT_EQ(name_of(hidden()), "hidden");
    EXPECT_EQ(name_of(17), "int");
}

TEST(class_name, leaves_template_arguments_out)
{
    EXPECT_EQ(name_of(sorted<int, std::map<std::string, hidden>>()), "sorted");
    EXPECT_EQ(name_of(sorted<named::inner>::inner()), "inner");
    EXPECT_EQ(name_of(std::function<void(named::inner)>()), "function");
    EXPECT_EQ(name_of(std::string()), "basic_string");
    EXPECT_EQ(name_of(with_value<&name_of<int>>()), "with_value");
}

TEST(class_name, finds_classes_in_functions)
{
    struct local {};
    EXPECT_EQ(name_of(local()), "local");
    EXPECT_EQ(name_of(local_of(std::map<int, hidden>())), "local");
    const auto in_lambda = [](std::map<int, hidden>) {
        struct deep {};
        return name_of(deep());
    };
    EXPECT_EQ(in_lambda({}), "deep");
    EXPECT_THAT(name_of(in_lambda), AnyOf("lambda", "unnamed")); // as the compiler mangles it
    struct {
    } unnamed;
    EXPECT_EQ(name_of(unnamed), "unnamed");
}

} // namespace
} // namespace postrider::app

struct outside_of_all {};

TEST(class_name, needs_no_namespace)
{
    EXPECT_EQ(postrider::app::class_name(typeid(outside_of_all)), "outside_of_all");
}
