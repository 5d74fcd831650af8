// SPDX-License-Identifier: MIT
// tree/layer_rules: the tables, then the rules that read them.

#include "unit/tree/layer_rules.hpp"

#include "unit/tree/source_text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace postrider::tree {

namespace {

// ---- the tables ---------------------------------------------------------------------------

struct layer {
    std::string_view name;
    int rank;
};
constexpr std::array layers{
    layer{"base", 0},     layer{"smtp", 1},    layer{"message", 1}, layer{"dns", 1},
    layer{"policy", 2},   layer{"net", 3},     layer{"store", 3},   layer{"app", 4},
    layer{"delivery", 5}, layer{"sandbox", 5}, layer{"relay", 6},   layer{"cli", 7},
};
constexpr int world_rank = 3; // from here on there is a world: sockets, clocks, threads

/// Something that has homes: files whose path begins with one of them.
struct housed {
    std::string_view name;
    std::vector<std::string_view> homes;
};

// Third-party headers by the beginning of their name; the first row that fits decides, and what
// fits none may not be included at all.
const std::vector<housed> third_party{
    {"fmt/", {"src/"}},
    {"idn2.h", {"src/smtp/idn"}},
    {"openssl/", {"src/net/tls", "src/smtp/crypto", "src/message/crypto"}},
    {"unbound", {"src/net/unbound"}},
    {"boost/asio/experimental/", {"src/net/asio.hpp"}},
    {"boost/asio/impl/src.hpp", {"src/net/asio_source.cpp"}},
    {"boost/asio", {"src/", "include/postrider/"}}, // by rank, below
    {"boost/system/", {"src/", "include/postrider/"}},
    {"boost/beast", {"src/sandbox/http"}},
    {"boost/json", {"src/sandbox/json", "src/sandbox/mailbox_page", "src/cli/"}},
    {"spdlog/", {"src/app/log"}},
    {"toml++/", {"src/app/config"}},
    {"sqlite3.h", {"src/store/sqlite"}},
    {"libpq", {"src/store/postgres"}},
    {"CLI/", {"src/cli/", "src/app/options", "src/app/help_text"}},
};

// Headers of the system, from rank 3 on.
constexpr std::array system_headers{
    "arpa/",    "dirent.h",   "errno.h",  "fcntl.h",   "grp.h",    "linux/",   "netdb.h",
    "net/if.h", "netinet/",   "poll.h",   "pwd.h",     "resolv.h", "signal.h", "spawn.h",
    "sys/",     "sysexits.h", "syslog.h", "termios.h", "unistd.h", "cxxabi.h",
};

// Instructions, not the world: anywhere.
constexpr std::array machine_headers{"immintrin.h", "emmintrin.h", "tmmintrin.h", "arm_neon.h"};

// Standard headers that reach for the world: from rank 3 on.
constexpr std::array worldly_headers{
    "condition_variable", "ctime",      "filesystem", "fstream", "future", "iostream", "mutex", "random",
    "semaphore",          "stop_token", "syncstream", "thread",
};

// Words that no file below rank 3 may use. Clocks stand in the table after it, for all ranks.
constexpr std::array worldly_words{
    "asio",   "boost",     "cerr",       "clog",        "cout",         "drand48", "environ",
    "fopen",  "fprintf",   "fputs",      "fwrite",      "getaddrinfo",  "getenv",  "getpid",
    "printf", "puts",      "sockaddr",   "sockaddr_in", "sockaddr_in6", "stderr",  "stdout",
    "syslog", "getrandom", "getentropy", "arc4random",  "RAND_bytes",
};

// One door to time and chance: these words, and nobody else. system_clock is for a wall time that
// is shown to people; nothing is measured or waited for by it.
const std::vector<housed> doors{
    {"steady_clock", {"src/net/clock"}},
    {"system_clock",
     {"src/net/clock", "src/sandbox/mailbox", "src/sandbox/capture_server", "src/cli/send", "src/app/log",
      "include/postrider/app/log"}},
    {"high_resolution_clock", {}},
    {"utc_clock", {}},
    {"clock_gettime", {}},
    {"gettimeofday", {}},
    {"timespec_get", {}},
    {"random_device", {"src/net/environment"}},
    {"default_random_engine", {}},
    {"mt19937", {"src/net/environment", "src/sandbox/sim"}},
    {"mt19937_64", {"src/net/environment", "src/sandbox/sim"}},
    {"getenv", {"src/app/", "src/cli/"}},
    {"secure_getenv", {}},
};

// ---- reading the tables -------------------------------------------------------------------

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

const layer* find_layer(std::string_view name)
{
    const auto found =
        std::find_if(layers.begin(), layers.end(), [&](const layer& l) { return l.name == name; });
    return found == layers.end() ? nullptr : &*found;
}

template <class Table>
bool lists(const Table& table, std::string_view name)
{
    return std::find(table.begin(), table.end(), name) != table.end();
}

template <class Table>
bool lists_beginning_of(const Table& table, std::string_view name)
{
    return std::any_of(table.begin(), table.end(), [&](std::string_view s) { return name.starts_with(s); });
}

std::string homes_of(const housed& what)
{
    if (what.homes.empty())
        return "nobody's";
    std::string all;
    for (const auto home : what.homes)
        all += (all.empty() ? "" : ", ") + std::string(home) + "*";
    return all;
}

constexpr std::string_view public_folder = "include/postrider/";

bool is_public(std::string_view path) { return path.starts_with(public_folder); }

/// The layer that a public header's head names, "// layer/noun: ...".
std::string_view layer_in_head(std::string_view text)
{
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        const auto line = text.substr(begin, end - begin);
        begin = end + 1;
        if (!line.starts_with("// ") || line.starts_with("// SPDX"))
            continue;
        const auto slash = line.find('/', 3);
        return slash == std::string_view::npos ? std::string_view() : line.substr(3, slash - 3);
    }
    return {};
}

std::string_view folder_below(std::string_view path, std::string_view top)
{
    path.remove_prefix(top.size());
    return path.substr(0, path.find('/'));
}

// ---- the rules ----------------------------------------------------------------------------

/// All rules for one file.
class inspection {
public:
    inspection(const files& tree, const std::string& path, const std::string& text,
               std::vector<finding>& found)
        : tree_(tree), path_(path), found_(found)
    {
        const auto name = is_public(path) ? layer_in_head(text) : folder_below(path, "src/");
        layer_ = find_layer(name);
        if (layer_ == nullptr) {
            report(1, is_public(path) ? "a public header's first comment names its layer: // layer/noun: ..."
                                      : "no layer is called " + quoted(name));
            return;
        }
        const auto source = read_source(text);
        for (const auto& include : source.includes)
            inspect(include);
        for (std::size_t i = 0; i < source.words.size(); ++i)
            inspect(source.words, i);
    }

private:
    void report(std::size_t line, std::string rule) { found_.push_back({path_, line, std::move(rule)}); }

    bool below_the_world() const { return layer_->rank < world_rank; }
    std::string us() const { return std::string(layer_->name); }

    void inspect(const include_line& include)
    {
        const std::string_view name = include.name;
        if (name.empty())
            return report(include.line, "an include names its header itself, without a macro");
        if (name.find("..") != std::string_view::npos || name.starts_with("/"))
            return report(include.line, quoted(name) + ": own headers are included as \"layer/noun.hpp\"");
        if (name.starts_with("postrider/"))
            return inspect_public(include);
        if (const auto* theirs = find_layer(name.substr(0, name.find('/')));
            theirs != nullptr && name.ends_with(".hpp") && !third_party_row(name))
            return inspect_own(include, *theirs);
        inspect_foreign(include);
    }

    void inspect_public(const include_line& include)
    {
        const auto header = tree_.find("include/" + include.name);
        if (header == tree_.end())
            return report(include.line, quoted(include.name) + " is not there");
        if (const auto* theirs = find_layer(layer_in_head(header->second)))
            inspect_rank(include, *theirs);
    }

    void inspect_own(const include_line& include, const layer& theirs)
    {
        if (is_public(path_))
            return report(include.line,
                          quoted(include.name) + ": an installed header cannot include one that is not");
        inspect_rank(include, theirs);
    }

    void inspect_rank(const include_line& include, const layer& theirs)
    {
        if (&theirs == layer_ || theirs.rank < layer_->rank)
            return;
        const auto whom = std::string(theirs.name);
        report(include.line, theirs.rank == layer_->rank
                                 ? "neighbours do not know each other: " + us() + " includes " + whom
                                 : "no include upward: " + us() + " includes " + whom);
    }

    static const housed* third_party_row(std::string_view name)
    {
        const auto row = std::find_if(third_party.begin(), third_party.end(),
                                      [&](const housed& h) { return name.starts_with(h.name); });
        return row == third_party.end() ? nullptr : &*row;
    }

    void inspect_foreign(const include_line& include)
    {
        const std::string_view name = include.name;
        if (const auto* row = third_party_row(name)) {
            if (!lists_beginning_of(row->homes, path_))
                report(include.line, quoted(name) + " is met in one place: " + homes_of(*row));
            else if (name.starts_with("boost/") && below_the_world())
                report(include.line, "no Boost and no Asio below rank 3: " + quoted(name));
        } else if (lists(machine_headers, name)) {
            return;
        } else if (lists_beginning_of(system_headers, name) || lists(worldly_headers, name)) {
            if (below_the_world())
                report(include.line,
                       "no clocks, threads, files, sockets or chance below rank 3: " + quoted(name));
        } else if (name.find_first_of("./") != std::string_view::npos) {
            report(include.line, quoted(name) + " stands in no table of layer_rules.cpp");
        }
    }

    void inspect(const std::vector<word>& words, std::size_t i)
    {
        const auto& [line, text] = words[i];
        if (const auto door =
                std::find_if(doors.begin(), doors.end(), [&](const housed& d) { return d.name == text; });
            door != doors.end() && !lists_beginning_of(door->homes, path_))
            report(line, quoted(text) + " stands in one place: " + homes_of(*door));
        else if (below_the_world() && lists(worldly_words, text))
            report(line, "the world begins at rank 3: " + quoted(text));
        else if (calls_the_c_library(words, i))
            report(line, "time and chance come through net/environment: " + quoted(text + "()"));
        else if (below_the_world() && text == "now" && before(words, i) == "::" && after(words, i) == "(")
            report(line, "no clock below rank 3: 'now()'");
        else if (below_the_world() && calls_a_socket(words, i))
            report(line, "no sockets below rank 3: " + quoted(text + "()"));
    }

    static std::string_view before(const std::vector<word>& words, std::size_t i, std::size_t steps = 1)
    {
        return i < steps ? std::string_view() : std::string_view(words[i - steps].text);
    }
    static std::string_view after(const std::vector<word>& words, std::size_t i, std::size_t steps = 1)
    {
        return i + steps < words.size() ? std::string_view(words[i + steps].text) : std::string_view();
    }

    static bool is_name(std::string_view w)
    {
        constexpr std::array keywords{"return", "co_return", "co_await", "co_yield", "else", "do",
                                      "case",   "throw",     "and",      "or",       "not"};
        return !w.empty() && (w.front() == '_' || (w.front() | 32) >= 'a') && (w.front() | 32) <= 'z' &&
               !lists(keywords, w);
    }

    /// ::name( or std::name(, which is nobody's but the library's.
    static bool calls_the_global(const std::vector<word>& words, std::size_t i)
    {
        const auto owner = before(words, i, 2);
        return before(words, i) == "::" && after(words, i) == "(" &&
               (owner == "std" || !(is_name(owner) || owner == ">"));
    }

    // time(), rand(), srand(), clock(). Ours may be called the same as members (x.time()) and be
    // declared so: `seconds time() const`, where a type stands before the name.
    static bool calls_the_c_library(const std::vector<word>& words, std::size_t i)
    {
        const std::string_view text = words[i].text;
        if (text == "clock" || text == "random")
            return calls_the_global(words, i);
        if ((text != "time" && text != "rand" && text != "srand" && text != "rand_r") ||
            after(words, i) != "(")
            return false;
        const auto previous = before(words, i);
        if (previous == "::")
            return calls_the_global(words, i);
        if (previous == "." || previous == "->" || is_name(previous))
            return false;
        const bool after_type = previous == "&" || previous == "*" || previous == ">";
        return !(after_type && text == "time" && after(words, i, 2) == ")");
    }

    static bool calls_a_socket(const std::vector<word>& words, std::size_t i)
    {
        constexpr std::array calls{"socket", "connect", "bind", "listen", "accept", "send",  "sendmsg",
                                   "recv",   "recvmsg", "read", "write",  "open",   "close", "poll"};
        return lists(calls, words[i].text) && calls_the_global(words, i);
    }

    const files& tree_;
    const std::string& path_;
    std::vector<finding>& found_;
    const layer* layer_ = nullptr;
};

} // namespace

std::vector<finding> broken_layer_rules(const files& tree)
{
    std::vector<finding> found;
    for (const auto& [path, text] : tree)
        if (path.starts_with("src/") || is_public(path))
            inspection(tree, path, text, found);
    return found;
}

} // namespace postrider::tree
