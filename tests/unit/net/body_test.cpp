// SPDX-License-Identifier: MIT
// unit/net/body: octets in memory and in files.
#include "postrider/body.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace postrider {
namespace {

std::string all_of(const body& b)
{
    const auto reader = b.open();
    std::string all;
    std::string_view range;
    for (;;) {
        const auto status = reader->read(range);
        EXPECT_TRUE(status == body_reader::status::ready || status == body_reader::status::last);
        all += range;
        if (status != body_reader::status::ready)
            return all;
    }
}

// A file of its own, gone at the end.
class file_of {
public:
    explicit file_of(std::string_view octets)
        : path_(std::filesystem::temp_directory_path() / ("postrider_body_" + std::to_string(::getpid())))
    {
        std::ofstream(path_, std::ios::binary) << octets;
    }
    ~file_of() { std::filesystem::remove(path_); }
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

TEST(body, can_be_read_any_number_of_times)
{
    const body b("Subject: x\n\nhello\n");
    EXPECT_EQ(b.size(), 18u);
    EXPECT_EQ(all_of(b), "Subject: x\n\nhello\n");
    const body copy = b;
    EXPECT_EQ(all_of(copy), all_of(b));
}

TEST(body, a_view_copies_nothing)
{
    const std::string octets = "hello";
    const auto reader = body::view(octets).open();
    std::string_view range;
    EXPECT_EQ(reader->read(range), body_reader::status::last);
    EXPECT_EQ(range.data(), octets.data());
}

TEST(body, a_reader_outlives_its_body)
{
    auto reader = std::make_unique<body>(std::string(1000, 'x'))->open();
    std::string_view range;
    EXPECT_EQ(reader->read(range), body_reader::status::last);
    EXPECT_EQ(range, std::string(1000, 'x'));
}

TEST(body, knows_its_eight_bit_octets)
{
    EXPECT_EQ(body("plain").eight_bit(), false);
    EXPECT_EQ(body("gr\xC3\xBC\xC3\x9F").eight_bit(), true);
    const body shared("gr\xC3\xBC\xC3\x9F");
    std::thread other([&] { EXPECT_EQ(body(shared).eight_bit(), true); });
    EXPECT_EQ(shared.eight_bit(), true);
    other.join();
}

TEST(body, of_a_file)
{
    const file_of f("From: a\r\n\r\nhi\r\n");
    const body b = body::file(f.path());
    EXPECT_EQ(all_of(b), "From: a\r\n\r\nhi\r\n");
    EXPECT_EQ(all_of(b), "From: a\r\n\r\nhi\r\n");
    EXPECT_EQ(b.size(), 15u);
}

TEST(body, of_an_empty_file)
{
    const file_of f("");
    EXPECT_EQ(all_of(body::file(f.path())), "");
}

TEST(body, what_is_no_file_is_an_error_with_its_name)
{
    for (const char* path : {"/nowhere/at/all", "/tmp", "/dev/null"}) {
        try {
            (void)body::file(path);
            FAIL() << path;
        } catch (const std::system_error& e) {
            EXPECT_NE(std::string(e.what()).find(path), std::string::npos);
        }
    }
}

} // namespace
} // namespace postrider
