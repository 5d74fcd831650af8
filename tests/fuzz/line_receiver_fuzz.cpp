// SPDX-License-Identifier: MIT
// fuzz/line_receiver (app): lines, raw stretches and what is too long are the same in any pieces
//
// The first octet is the size of the pieces, the second the longest line; the rest is what a peer says.
// A line "r" begins a raw stretch, which ends with the first "." in it; at a line "p" reading is paused.

#include "app/connection.hpp"
#include "postrider/app/line_receiver.hpp"
#include "support/fed_stream.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace postrider;
using namespace postrider::app;

namespace {

class listener final : public line_receiver {
public:
    explicit listener(std::size_t most) : line_receiver("\r\n", most) {}

    void line_received(std::string_view line) override
    {
        heard += '=' + std::string(line) + '\n';
        if (line == "r")
            set_raw_mode();
        if (line == "p")
            transport().pause_reading();
    }
    void raw_data_received(std::string_view octets) override
    {
        const std::size_t end = octets.find('.');
        heard += octets.substr(0, end);
        if (end != std::string_view::npos)
            set_line_mode(octets.substr(end + 1));
    }
    void line_too_long(std::size_t) override { heard += "!\n"; }

    std::string heard;
};

class given final : public factory {
public:
    explicit given(std::shared_ptr<protocol> one) : one_(std::move(one)) {}
    std::shared_ptr<protocol> build_protocol(const std::string&) override { return one_; }

private:
    std::shared_ptr<protocol> one_;
};

std::string heard_of(std::string_view said, std::size_t piece, std::size_t most)
{
    asio::io_context context;
    app::loop loop(context.get_executor());
    const auto lines = std::make_shared<listener>(most);
    const auto other = std::make_shared<test::feeder>(context.get_executor());
    bool over = false;
    const auto link = connection::begin(loop, std::make_shared<given>(lines),
                                        std::make_unique<test::fed_stream>(other), "server,1",
                                        [&](const reason&) { over = true; });
    for (; !said.empty(); said.remove_prefix(std::min(piece, said.size())))
        other->say(said.substr(0, piece));
    other->close();
    while (!over) {
        context.restart();
        context.poll();
        if (!over)
            link->resume_reading();
    }
    return lines->heard;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2 || size > 4'096)
        return 0;
    const std::string_view said(reinterpret_cast<const char*>(data) + 2, size - 2);
    const std::size_t most = data[1];
    const std::string whole = heard_of(said, said.size() + 1, most);
    for (const std::size_t piece : {std::size_t(data[0]) + 1, std::size_t(1)})
        if (heard_of(said, piece, most) != whole)
            std::abort();
    return 0;
}
