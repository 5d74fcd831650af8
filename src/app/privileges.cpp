// SPDX-License-Identifier: MIT
// app/privileges: given up in the one order that works, and tried afterwards.

#include "app/privileges.hpp"

#include "app/run_failure.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace postrider::app {
namespace {

constexpr std::size_t entry_octets_first = 1024, entry_octets_max = 1u << 20;
constexpr uid_t same_user = static_cast<uid_t>(-1); // what setresuid(2) takes for "leave it"
constexpr gid_t same_group = static_cast<gid_t>(-1);

std::optional<std::uint32_t> number_in(const std::string& text)
{
    std::uint32_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size() ||
        number == std::numeric_limits<std::uint32_t>::max())
        return std::nullopt;
    return number;
}

/// One entry of the user or group database: `ask(entry, buffer, size, found)` is getpwnam_r or one like
/// it; `use` is called with the entry, and gives what is returned.
template <class Entry, class Ask, class Use>
auto with_entry(Ask ask, Use use) -> std::optional<std::invoke_result_t<Use, const Entry&>>
{
    for (std::size_t size = entry_octets_first; size <= entry_octets_max; size *= 2) {
        std::vector<char> buffer(size);
        Entry entry{};
        Entry* found = nullptr;
        if (const int why = ask(&entry, buffer.data(), size, &found); why == ERANGE)
            continue;
        if (found == nullptr)
            return std::nullopt;
        return use(*found);
    }
    return std::nullopt;
}

struct account {
    std::string name;
    uid_t user;
    gid_t group;
};

std::optional<account> find_account(const std::string& user)
{
    const auto number = number_in(user);
    return with_entry<passwd>(
        [&](passwd* entry, char* buffer, std::size_t size, passwd** found) {
            return number ? ::getpwuid_r(*number, entry, buffer, size, found)
                          : ::getpwnam_r(user.c_str(), entry, buffer, size, found);
        },
        [](const passwd& entry) { return account{entry.pw_name, entry.pw_uid, entry.pw_gid}; });
}

gid_t find_group(const std::string& group)
{
    if (const auto number = number_in(group))
        return *number;
    const auto found = with_entry<::group>(
        [&](::group* entry, char* buffer, std::size_t size, ::group** there) {
            return ::getgrnam_r(group.c_str(), entry, buffer, size, there);
        },
        [](const ::group& entry) { return entry.gr_gid; });
    if (!found)
        throw run_failure(exit_usage, fmt::format("there is no group '{}'", base::escaped(group, 256)));
    return *found;
}

std::vector<gid_t> groups_of(const std::string& name, gid_t group)
{
    std::vector<gid_t> groups(32);
    int count = static_cast<int>(groups.size());
    if (::getgrouplist(name.c_str(), group, groups.data(), &count) < 0) {
        groups.resize(static_cast<std::size_t>(count));
        if (::getgrouplist(name.c_str(), group, groups.data(), &count) < 0)
            throw run_failure(exit_os, fmt::format("cannot find the groups of the user {}", name));
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

bool is_already(const identity& whom)
{
    uid_t real = 0, effective = 0, saved = 0;
    gid_t real_group = 0, effective_group = 0, saved_group = 0;
    if (::getresuid(&real, &effective, &saved) != 0 ||
        ::getresgid(&real_group, &effective_group, &saved_group) != 0)
        return false;
    return real == whom.user && effective == whom.user && saved == whom.user && real_group == whom.group &&
           effective_group == whom.group && saved_group == whom.group;
}

run_failure cannot_become(const identity& whom, int why)
{
    return refusal_of_the_system(exit_os, fmt::format("cannot become {}", whom.name), why);
}

// The kernel takes the capabilities from who stops being root, unless it was told not to: then the user
// has changed, and the power has not.
void check_there_is_no_way_back(const identity& whom)
{
    if (whom.user == 0)
        return;
    const bool user_back = ::setresuid(same_user, 0, same_user) == 0;
    const bool group_back = whom.group != 0 && ::setresgid(same_group, 0, same_group) == 0;
    if (user_back || group_back)
        throw run_failure(exit_os, fmt::format("{} could become root again", whom.name));
}

} // namespace

std::optional<identity> find_identity(const std::string& user, const std::string& group)
{
    if (user.empty() && group.empty())
        return std::nullopt;
    identity found{};
    if (user.empty()) {
        found.user = ::geteuid();
        found.group = find_group(group);
        found.groups = {found.group};
        found.name = "a member of the group " + base::escaped(group, 256);
        return found;
    }
    const auto account = find_account(user);
    const auto number = number_in(user);
    const std::string shown = base::escaped(user, 256);
    if (!account && !number)
        throw run_failure(exit_usage, fmt::format("there is no user '{}'", shown));
    if (!account && group.empty())
        throw run_failure(exit_usage,
                          fmt::format("the user {} has no name and so no group: which one?", shown));
    found.user = account ? account->user : *number;
    found.group = group.empty() ? account->group : find_group(group);
    if (account)
        found.groups = groups_of(account->name, found.group);
    else
        found.groups = {found.group};
    found.name = account ? "the user " + account->name : "the user " + shown;
    return found;
}

void become(const identity& whom, bool effective_only)
{
    if (::geteuid() != 0 && is_already(whom))
        return; // who is not root could not even set the groups that it has
    if (::setgroups(whom.groups.size(), whom.groups.data()) != 0)
        throw cannot_become(whom, errno);
    const gid_t other_group = effective_only ? same_group : whom.group;
    const uid_t other_user = effective_only ? same_user : whom.user;
    if (::setresgid(other_group, whom.group, other_group) != 0 ||
        ::setresuid(other_user, whom.user, other_user) != 0)
        throw cannot_become(whom, errno);
    if (effective_only ? ::geteuid() != whom.user || ::getegid() != whom.group : !is_already(whom))
        throw run_failure(
            exit_os, fmt::format("cannot become {}: the system says it is done, and it is not", whom.name));
    if (!effective_only)
        check_there_is_no_way_back(whom);
}

} // namespace postrider::app
