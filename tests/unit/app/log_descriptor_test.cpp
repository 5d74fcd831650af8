// SPDX-License-Identifier: MIT
// app/log_descriptor_test: lines into a pipe that does not block, and nobody reads.

#include "app/log_descriptor.hpp"

#include "app/log_form.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>

namespace postrider::app {
namespace {

class log_descriptor_in_a_pipe : public testing::Test {
protected:
    log_descriptor_in_a_pipe()
    {
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        sink = std::make_unique<log_descriptor>(ends[1], text_form(log_frame::for_syslog), lost);
    }
    ~log_descriptor_in_a_pipe() override
    {
        ::close(ends[0]);
        ::close(ends[1]);
    }

    void say(std::string_view text)
    {
        sink->log(spdlog::details::log_msg("x", spdlog::level::info, {text.data(), text.size()}));
    }

    // A whole buffer of dots, so that not one octet more has room.
    void fill()
    {
        const std::string dots(4096, '.');
        while (::write(ends[1], dots.data(), dots.size()) > 0)
            continue;
        while (::write(ends[1], dots.data(), 1) > 0)
            continue;
    }

    std::string read_all()
    {
        std::string all, some(65536, '\0');
        for (ssize_t n = 0; (n = ::read(ends[0], some.data(), some.size())) > 0;)
            all.append(some, 0, static_cast<std::size_t>(n));
        all.erase(0, all.find_last_of('.') + 1);
        return all;
    }

    int ends[2] = {-1, -1};
    std::atomic<std::uint64_t> lost = 0;
    std::unique_ptr<log_descriptor> sink;
};

TEST_F(log_descriptor_in_a_pipe, waits_for_a_reader_who_is_late)
{
    fill();
    std::string heard;
    {
        // The line is begun before or while the reader reads; either way it is not lost.
        std::jthread reader([&] {
            while (heard.empty())
                heard = read_all();
        });
        say("hello");
    }
    EXPECT_EQ(heard + read_all(), "[x] hello");
    EXPECT_EQ(lost, 0u);
}

TEST_F(log_descriptor_in_a_pipe, loses_lines_rather_than_to_stand_still)
{
    fill();
    for (int i = 0; i < 50; ++i)
        say("lost");
    EXPECT_EQ(lost, 50u);
    read_all();
    say("hello");
    EXPECT_EQ(read_all(),
              "[log] warning: 50 lines could not be written: Resource temporarily unavailable[x] hello");
    EXPECT_EQ(lost, 50u);
}

} // namespace
} // namespace postrider::app
