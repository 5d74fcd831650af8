// SPDX-License-Identifier: MIT
#pragma once
// app/privileges: whom a process becomes once it has done what only root may.

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace postrider::app {

struct identity {
    uid_t user;
    gid_t group;
    std::vector<gid_t> groups; ///< all of them, as a login would have them
    std::string name;          ///< for sentences: "postrider", "uid 1000"
};

/// By names or numbers; nothing if both are empty. Without a group it is the user's own, without a user
/// only the group changes. To be asked before chroot(2): the answer stands in files outside. Throws
/// run_failure, 64, for a name that nobody has.
std::optional<identity> find_identity(const std::string& user, const std::string& group);

/// Groups, group, then user: real, effective and saved; with `effective_only` the effective ones, so that
/// the process can be root again. Then tries to go back, and throws if it can. Throws run_failure, 71.
void become(const identity& whom, bool effective_only);

} // namespace postrider::app
