// SPDX-License-Identifier: MIT
// smtp/verdict: the words for verdicts and phases, the same everywhere.

#include "postrider/verdict.hpp"

namespace postrider {

std::string_view to_string(verdict v) noexcept
{
    switch (v) {
    case verdict::delivered: return "delivered";
    case verdict::refused: return "refused";
    case verdict::deferred: return "deferred";
    case verdict::in_doubt: return "in doubt";
    case verdict::untried: return "untried";
    }
    return "?";
}

std::string_view to_string(phase p) noexcept
{
    switch (p) {
    case phase::none: return "none";
    case phase::lookup: return "lookup";
    case phase::connect: return "connect";
    case phase::greeting: return "greeting";
    case phase::hello: return "hello";
    case phase::starttls: return "starttls";
    case phase::auth: return "auth";
    case phase::mail: return "mail";
    case phase::rcpt: return "rcpt";
    case phase::data: return "data";
    case phase::body: return "body";
    case phase::end_of_data: return "end of data";
    case phase::between: return "between messages";
    case phase::quit: return "quit";
    }
    return "?";
}

} // namespace postrider
