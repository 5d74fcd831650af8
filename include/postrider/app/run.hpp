// SPDX-License-Identifier: MIT
#pragma once
// app/run: runs an application as a process: in the foreground or as a daemon, with a log, a pidfile,
// privileges that are given up, and signals that stop it in order.
//
//     int main(int argc, char** argv)
//     {
//         postrider::app::application application("SMTP Client Tutorial");
//         return postrider::app::run(application, argc, argv);
//     }
//
// SIGINT and SIGTERM stop the services in order, a second one ends the process at once (status 70);
// SIGHUP opens the log file anew, or, where the log is on a terminal, stops as SIGINT does: the terminal
// has gone; SIGUSR1 rotates it. Under systemd readiness and the end are told (sd_notify(3)).
//
// A daemon is another process than the one that was started, and is made before the services are: threads
// that the program began before run() are not in it. The one that was started ends with run(), without
// returning, once it knows how the start went.
//
// Exit status: 0, or what loop().stop() or a failure noted; 64 the options cannot be used; 70 a service
// could not be started, or a callback threw; 71 the operating system refused (fork, setuid, chroot, a
// port to listen on); 73 the log or the pidfile cannot be created; 74 lines of the log were lost; 75
// another one is running.

#include "postrider/app/application.hpp"
#include "postrider/app/log.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace postrider::app {

/// What the options of the command line set, for programs that have options of their own.
struct run_options {
    bool daemon = true;          ///< -n, --nodaemon: stay in the foreground
    std::string log_file;        ///< -l, --logfile: "-" is standard output; default: it in the foreground,
                                 ///< NAME.log for a daemon, where NAME is the program's
    bool standard_error = false; ///< there instead, in the foreground: for commands whose output is theirs
    bool log_json = false;       ///< --log-format text|json
    log_level least = log_level::info;   ///< --log-level debug|info|warning|error
    bool syslog = false;                 ///< --syslog
    std::string syslog_prefix;           ///< --prefix; default: the program's name
    std::optional<std::string> pid_file; ///< --pidfile; empty: none; default: NAME.pid, for daemons only
    std::string directory;               ///< -d, --rundir
    std::string root;                    ///< --chroot
    std::optional<mode_t> umask;         ///< --umask, octal; default: 077 for daemons
    std::string user, group;             ///< -u, --uid and -g, --gid: names or numbers
    bool effective_only = false;         ///< --euid: keep the real user, to become root again
    bool statistics = false;             ///< --statistics: say at the end what the run cost
};

/// With the options of the command line. Says --help and --version itself. Returns the exit status.
int run(application& what, int argc, char** argv);

/// `program` names the log, the pidfile and the complaints.
int run(application& what, const run_options& how, const std::string& program);

} // namespace postrider::app
