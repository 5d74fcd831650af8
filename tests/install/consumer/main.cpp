// SPDX-License-Identifier: MIT
// consumer/main: a program that knows nothing of Postrider but what is installed.

#include <postrider/address.hpp>
#include <postrider/error.hpp>
#include <postrider/reply.hpp>

#include <cstdio>
#include <string>

namespace {

int failures = 0;

void expect(const std::string& what, const std::string& is, const std::string& wanted)
{
    if (is == wanted)
        return;
    std::fprintf(stderr, "%s is '%s', not '%s'\n", what.c_str(), is.c_str(), wanted.c_str());
    ++failures;
}

} // namespace

int main()
{
    const postrider::address ann("ann@b\xc3\xbc"
                                 "cher.example");
    expect("the domain in A-labels", ann.ascii_domain(), "xn--bcher-kva.example"); // libidn2 is linked
    expect("a broken address", postrider::address::parse("a..b@").has_value() ? "taken" : "refused",
           "refused");

    const postrider::reply no(550, postrider::enhanced_code{5, 1, 1}, {"5.1.1 no such user"});
    expect("the reply", no.to_string(), "550 5.1.1 no such user");

    const std::error_code lost = postrider::error::connection_lost;
    expect("the error's category", lost.category().name(), "postrider");
    return failures == 0 ? 0 : 1;
}
