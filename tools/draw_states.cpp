// SPDX-License-Identifier: MIT
// tools/draw_states: writes docs/reference/session.md from the tables of smtp/session_table.
//
//   draw_states              prints the page
//   draw_states --check FILE fails if FILE is not what would be printed

#include "smtp/session_table.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

using namespace postrider;
using namespace postrider::smtp;

namespace {

std::string seconds(std::chrono::seconds s)
{
    return s.count() % 60 == 0 ? fmt::format("{} min", s.count() / 60) : fmt::format("{} s", s.count());
}

// Mermaid takes no blanks in the name of a state.
std::string id_of(const state_row& row)
{
    std::string id(row.name);
    for (char& c : id)
        if (c == ' ')
            c = '_';
    return id;
}

std::string graph()
{
    std::string out = "```mermaid\nstateDiagram-v2\n    [*] --> start\n";
    for (const state_row& from : session_states)
        for (const state_row& to : session_states)
            if ((from.next & bit(to.state)) != 0)
                out += fmt::format("    {} --> {}\n", id_of(from), id_of(to));
    return out + "    quit --> closed\n    closed --> [*]\n```\n";
}

std::string followers(const state_row& from)
{
    std::string all;
    for (const state_row& to : session_states)
        if ((from.next & bit(to.state)) != 0)
            all += (all.empty() ? "" : ", ") + std::string(to.name);
    return all;
}

std::string states()
{
    std::string out = "| state | phase | what it means | may be followed by |\n| --- | --- | --- | --- |\n";
    for (const state_row& row : session_states)
        out += fmt::format("| {} | {} | {} | {} |\n", row.name, to_string(row.where), row.meaning,
                           followers(row));
    return out;
}

std::string waits()
{
    std::string out = "| waiting for | phase | at most | last of its group |\n| --- | --- | --- | --- |\n";
    for (const verb_row& row : verbs) {
        const bool greeting = row.what == verb::greeting;
        const std::string what = greeting ? "the greeting" : fmt::format("the reply to {}", row.name);
        if (row.what == verb::lone_dot)
            continue; // an end of data like the other
        out += fmt::format("| {} | {} | {} | {} |\n", what, to_string(row.where), seconds(row.wait),
                           row.ends_group ? "yes" : "no");
    }
    return out + fmt::format("| room for the next block of the body | {} | {} | |\n", to_string(phase::body),
                             seconds(body_block_wait));
}

std::string page()
{
    return "# The states of a session\n\n"
           "Drawn from `src/smtp/session_table.hpp` by `tools/draw_states`; a test fails when this page is "
           "stale.\n"
           "Every state may also be followed by `closed`: a conversation can break anywhere.\n\n" +
           graph() + "\n" + states() +
           "\n## How long a session waits\n\n"
           "A command that is not the last of its group may be followed by the next one before its reply has "
           "come,\n"
           "where the server offers PIPELINING (RFC 2920). The times are those of RFC 5321 §4.5.3.2 where it "
           "names\n"
           "one.\n\n" +
           waits();
}

int check(const char* path)
{
    std::ifstream file(path, std::ios::binary);
    if (std::string(std::istreambuf_iterator<char>(file), {}) == page())
        return 0;
    fmt::print(stderr, "{} is stale: draw_states > {}\n", path, path);
    return 1;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc == 3 && std::strcmp(argv[1], "--check") == 0)
        return check(argv[2]);
    if (argc != 1) {
        fmt::print(stderr, "usage: draw_states [--check FILE]\n");
        return 64;
    }
    fmt::print("{}", page());
    return 0;
}
