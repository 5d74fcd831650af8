// SPDX-License-Identifier: MIT
// fuzz/ehlo (smtp): any reply to EHLO gives keywords once each, in upper case, found in any case
//
// The lines of the input are the lines of the reply, the greeting among them.

#include "base/text.hpp"
#include "smtp/extensions.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>

using namespace postrider;
using namespace postrider::smtp;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

std::vector<std::string> lines_of(std::string_view text)
{
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

void check_word(const std::string& word)
{
    require(!word.empty() && std::none_of(word.begin(), word.end(), is_blank));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto lines = lines_of({reinterpret_cast<const char*>(data), size});
    const auto offered = extensions::from_reply(reply(250, {}, lines));
    require(offered.all().size() <= (lines.empty() ? 0 : lines.size() - 1));

    std::set<std::string> keywords;
    for (const auto& e : offered.all()) {
        check_word(e.keyword);
        require(e.keyword == base::upper(e.keyword) && keywords.insert(e.keyword).second);
        require(offered.find(base::lower(e.keyword)) == &e);
        for (const auto& parameter : e.parameters)
            check_word(parameter);
    }
    require(offered.size_max() != 0u);
    require(!offered.size_max() || offered.offers("size"));

    std::set<std::string> mechanisms;
    for (const auto& name : offered.auth_mechanisms())
        require(name == base::upper(name) && name.size() <= 20 && mechanisms.insert(name).second);
    require(mechanisms.empty() || offered.offers("AUTH"));
    return 0;
}
