// SPDX-License-Identifier: MIT
// net/stream: what a stream does that cannot know anything without waiting.

#include "postrider/stream.hpp"

#include <boost/asio/error.hpp>

namespace postrider {

std::size_t stream::read_now(boost::asio::mutable_buffer, error_code& ec)
{
    ec = boost::asio::error::would_block;
    return 0;
}

std::size_t stream::write_now(std::span<const boost::asio::const_buffer>, error_code& ec)
{
    ec = boost::asio::error::would_block;
    return 0;
}

} // namespace postrider
