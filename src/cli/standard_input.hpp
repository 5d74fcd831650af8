// SPDX-License-Identifier: MIT
#pragma once
// cli/standard_input: the message that stands on standard input, held as little as possible.
//
// A file is mapped; a pipe is streamed, once; where more than one connection needs the message a
// pipe is first written to a file without a name, which is gone when the program is.

#include "postrider/body.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <system_error>

namespace postrider::cli {

/// The file could not be made or filled: the disk's trouble, not the input's.
class cannot_put_aside : public std::system_error {
public:
    using std::system_error::system_error;
};

/// Throws std::system_error if the input cannot be read, cannot_put_aside if the file cannot be made.
body standard_input(boost::asio::any_io_executor executor, bool needed_again);

} // namespace postrider::cli
