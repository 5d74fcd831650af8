// SPDX-License-Identifier: MIT
#pragma once
// cli/standard_input: the message that stands on standard input, held as little as possible.
//
// A file is mapped; a pipe is streamed, once; where more than one connection needs the message a
// pipe is first written to a file without a name, which is gone when the program is.

#include "postrider/body.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace postrider::cli {

/// Throws std::system_error if the input cannot be read, or the file cannot be made.
body standard_input(boost::asio::any_io_executor executor, bool needed_again);

} // namespace postrider::cli
