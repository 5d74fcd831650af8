// SPDX-License-Identifier: MIT
// tree/layers_test: this tree keeps the rules of the layers, and each rule finds what breaks it.

#include "unit/tree/layer_rules.hpp"
#include "unit/tree/project_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::tree {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(layers, of_this_tree_are_kept)
{
    const auto tree = project_files();
    ASSERT_TRUE(tree.contains("src/CMakeLists.txt")) << "the walk found another tree";
    ASSERT_TRUE(tree.contains("include/postrider/result.hpp"));
    files sources;
    for (const auto& [path, text] : tree)
        if (path.ends_with(".cpp") || path.ends_with(".hpp"))
            sources.emplace(path, text);
    for (const auto& f : broken_layer_rules(sources))
        ADD_FAILURE() << f;
}

/// The findings in a tree of one file, each as "line: rule".
std::vector<std::string> in(const std::string& path, const std::string& text, files others = {})
{
    others[path] = text;
    std::vector<std::string> said;
    for (const auto& f : broken_layer_rules(others)) {
        EXPECT_EQ(f.file, path);
        said.push_back(std::to_string(f.line) + ": " + f.rule);
    }
    return said;
}

TEST(layers, may_include_what_stands_to_their_left)
{
    EXPECT_THAT(in("src/base/text.cpp", "#include \"base/text.hpp\"\n#include <string>\n"), IsEmpty());
    EXPECT_THAT(in("src/smtp/reply.cpp", "#include \"base/text.hpp\"\n#include <fmt/format.h>\n"), IsEmpty());
    EXPECT_THAT(in("src/policy/mx.cpp", "#include \"dns/name.hpp\"\n#include \"smtp/step.hpp\"\n"),
                IsEmpty());
    EXPECT_THAT(in("src/net/x.cpp",
                   "#include \"net/asio.hpp\"\n#include <boost/asio/post.hpp>\n#include <thread>\n"
                   "#include <sys/socket.h>\n#include <iostream>\n"),
                IsEmpty());
    EXPECT_THAT(in("src/smtp/scan.cpp", "#include <emmintrin.h>\n#include <chrono>\n"), IsEmpty());
}

TEST(layers, may_not_include_upward)
{
    EXPECT_THAT(in("src/base/text.cpp", "\n#include \"smtp/reply.hpp\"\n"),
                ElementsAre(HasSubstr("2: no include upward: base includes smtp")));
    EXPECT_THAT(in("src/policy/mx.cpp", "#include <net/asio.hpp>\n"),
                ElementsAre(HasSubstr("policy includes net")));
    EXPECT_THAT(in("src/delivery/mailer.hpp", "#  include /* up */ \"cli/send.hpp\""),
                ElementsAre(HasSubstr("delivery includes cli")));
}

TEST(layers, may_not_include_their_neighbours)
{
    EXPECT_THAT(in("src/smtp/x.cpp", "#include \"dns/name.hpp\"\n"),
                ElementsAre("1: neighbours do not know each other: smtp includes dns"));
    EXPECT_THAT(in("src/sandbox/x.cpp", "#include \"delivery/client.hpp\"\n"),
                ElementsAre(HasSubstr("sandbox includes delivery")));
}

TEST(layers, are_read_from_the_head_of_a_public_header)
{
    const files headers{{"include/postrider/client.hpp", "#pragma once\n// delivery/client: sends\n"},
                        {"include/postrider/address.hpp", "// smtp/address: a mailbox\n"}};
    EXPECT_THAT(in("src/smtp/x.cpp", "#include \"postrider/address.hpp\"\n", headers), IsEmpty());
    EXPECT_THAT(in("src/smtp/x.cpp", "#include \"postrider/client.hpp\"\n", headers),
                ElementsAre("1: no include upward: smtp includes delivery"));
    EXPECT_THAT(in("src/dns/x.cpp", "#include <postrider/address.hpp>\n", headers),
                ElementsAre(HasSubstr("dns includes smtp")));
    EXPECT_THAT(
        in("include/postrider/reply.hpp", "// smtp/reply: r\n#include \"postrider/client.hpp\"\n", headers),
        ElementsAre("2: no include upward: smtp includes delivery"));
    EXPECT_THAT(in("src/smtp/x.cpp", "#include \"postrider/gone.hpp\"\n", headers),
                ElementsAre(HasSubstr("is not there")));
}

TEST(layers, need_a_name)
{
    EXPECT_THAT(in("include/postrider/x.hpp", "#pragma once\n"), ElementsAre(HasSubstr("names its layer")));
    EXPECT_THAT(in("include/postrider/x.hpp", "// util/x: things\n"),
                ElementsAre(HasSubstr("names its layer")));
    EXPECT_THAT(in("src/util/x.hpp", ""), ElementsAre("1: no layer is called 'util'"));
}

TEST(layers, keep_installed_headers_apart)
{
    EXPECT_THAT(in("include/postrider/x.hpp", "// smtp/x: x\n#include \"base/text.hpp\"\n"),
                ElementsAre(HasSubstr("cannot include one that is not")));
    EXPECT_THAT(in("include/postrider/x.hpp", "// smtp/x: x\n#include <fmt/format.h>\n"),
                ElementsAre(HasSubstr("met in one place")));
}

TEST(layers, write_includes_plainly)
{
    EXPECT_THAT(in("src/smtp/x.cpp", "#include \"../base/text.hpp\"\n"),
                ElementsAre(HasSubstr("layer/noun.hpp")));
    EXPECT_THAT(in("src/smtp/x.cpp", "#include HEADER\n"), ElementsAre(HasSubstr("without a macro")));
}

TEST(layers, meet_each_library_in_its_place)
{
    EXPECT_THAT(in("src/smtp/idn.cpp", "#include <idn2.h>\n"), IsEmpty());
    EXPECT_THAT(in("src/smtp/address.cpp", "#include <idn2.h>\n"), ElementsAre(HasSubstr("src/smtp/idn*")));
    EXPECT_THAT(in("src/net/unbound_resolver.cpp", "#include <unbound.h>\n#include <unbound-event.h>\n"),
                IsEmpty());
    EXPECT_THAT(in("src/net/resolver.cpp", "#include <unbound.h>\n"),
                ElementsAre(HasSubstr("src/net/unbound*")));
    EXPECT_THAT(in("src/net/x.cpp", "#include <CLI/CLI.hpp>\n"), ElementsAre(HasSubstr("src/cli/*")));
    EXPECT_THAT(in("src/net/x.cpp", "#include <boost/beast/http.hpp>\n"),
                ElementsAre(HasSubstr("src/sandbox/http*")));
    EXPECT_THAT(in("src/net/x.cpp", "#include <boost/json/src.hpp>\n"),
                ElementsAre(HasSubstr("src/sandbox/json*")));
    EXPECT_THAT(in("src/net/x.cpp", "#include <boost/asio/experimental/awaitable_operators.hpp>\n"),
                ElementsAre(HasSubstr("src/net/asio.hpp")));
    EXPECT_THAT(in("src/net/x.cpp", "#include <openssl/ssl.h>\n"), ElementsAre(HasSubstr("src/net/tls*")));
    EXPECT_THAT(in("src/net/x.cpp", "#include <curl/curl.h>\n#include <boost/regex.hpp>\n"),
                ElementsAre(HasSubstr("stands in no table"), HasSubstr("stands in no table")));
}

TEST(layers, below_rank_3_do_not_include_the_world)
{
    for (const std::string header : {"boost/asio/post.hpp", "boost/asio.hpp", "boost/system/error_code.hpp",
                                     "random", "thread", "iostream", "fstream", "filesystem", "ctime",
                                     "sys/socket.h", "sys/time.h", "netdb.h", "unistd.h", "poll.h"})
        for (const std::string folder : {"base", "smtp", "message", "dns", "policy"})
            EXPECT_THAT(in("src/" + folder + "/x.cpp", "#include <" + header + ">\n"),
                        ElementsAre(HasSubstr("below rank 3: '" + header + "'")));
    EXPECT_THAT(in("include/postrider/x.hpp", "// smtp/x: x\n#include <boost/asio/any_io_executor.hpp>\n"),
                ElementsAre(HasSubstr("below rank 3")));
}

TEST(layers, below_rank_3_do_not_use_the_world)
{
    for (const std::string code : {"std::getenv(\"HOME\")",
                                   "std::random_device r",
                                   "std::mt19937 g(1)",
                                   "asio::post(x)",
                                   "std::cout << 1",
                                   "sockaddr_in a",
                                   "steady_clock::now()",
                                   "std::chrono::system_clock::now()",
                                   "my::clock::now()",
                                   "return time(nullptr)",
                                   "t = ::time(0)",
                                   "std::time(nullptr)",
                                   "x > time(&t)",
                                   "rand() % 2",
                                   "a * rand()",
                                   "std::clock()",
                                   "::socket(1, 2, 3)",
                                   "return ::send(fd, p, n, 0)",
                                   "gettimeofday(&t, 0)",
                                   "printf(\"x\")"})
        EXPECT_THAT(in("src/policy/x.cpp", "\nauto f() {\n    " + code + ";\n}\n"),
                    Contains(StartsWith("3: ")))
            << code;
}

TEST(layers, may_use_the_same_words_for_other_things)
{
    for (const std::string code :
         {"record.time()", "seconds time() const", "const seconds& time() const", "std::optional<int> time()",
          "step.connect(x)", "action::send(x)", "std::chrono::seconds wait{1'000}", "connect(x)",
          "ours::time(x)", "resume(event::now)", "bool send(int)", "int times(int)"})
        EXPECT_THAT(in("src/policy/x.cpp", code + ";\n"), IsEmpty()) << code;
}

TEST(layers, have_one_door_to_time_and_chance)
{
    EXPECT_THAT(in("src/net/clock.cpp", "auto t = std::chrono::steady_clock::now();\n"), IsEmpty());
    EXPECT_THAT(in("src/net/driver.cpp", "auto t = std::chrono::steady_clock::now();\n"),
                ElementsAre("1: 'steady_clock' stands in one place: src/net/clock*"));
    EXPECT_THAT(in("src/delivery/x.cpp", "auto t = std::chrono::system_clock::now();\n"),
                ElementsAre(HasSubstr("'system_clock'")));
    EXPECT_THAT(in("src/relay/x.cpp", "auto t = time(nullptr);\n"), ElementsAre(HasSubstr("'time()'")));
    EXPECT_THAT(in("src/delivery/x.cpp", "std::random_device seed;\n"),
                ElementsAre(HasSubstr("src/net/environment*")));
    EXPECT_THAT(in("src/net/x.cpp", "std::getenv(\"HOME\");\n"), ElementsAre(HasSubstr("src/cli/*")));
}

TEST(layers, are_not_judged_by_comments_and_strings)
{
    EXPECT_THAT(in("src/smtp/x.cpp",
                   "// #include \"net/asio.hpp\"\n"
                   "/*\n#include \"net/asio.hpp\"\n getenv */\n"
                   "const char* a = \"#include <thread> getenv \\\" steady_clock\";\n"
                   "const char* b = R\"x(\n#include \"net/asio.hpp\"\n)\" getenv )x\";\n"
                   "char c = '\"'; char d = '\\''; int n = 1'000'000; // getenv \\\n getenv\n"
                   "#error it's\nsteady_clock x;\n"),
                ElementsAre(HasSubstr("12: 'steady_clock'"))); // the apostrophe's end is the line's
}

TEST(layers, are_judged_by_code_around_comments_and_strings)
{
    EXPECT_THAT(in("src/smtp/x.cpp", "/* a */ #include \"net/asio.hpp\" // b\n"
                                     "auto s = \"/*\"; getenv(s); // */\n"
                                     "auto r = R\"(\")\"; getenv(r);\n"
                                     "auto c = '\\\\'; getenv(c);\n"
                                     "#inc\\\nlude \"net/asio.hpp\"\n"
                                     "int n = 0x1'0; get\\\nenv(n);\n"),
                ElementsAre(HasSubstr("1: no include upward"), HasSubstr("5: no include upward"),
                            HasSubstr("2: 'getenv'"), HasSubstr("3: 'getenv'"), HasSubstr("4: 'getenv'"),
                            HasSubstr("7: 'getenv'")));
}

} // namespace
} // namespace postrider::tree
