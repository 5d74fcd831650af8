// SPDX-License-Identifier: MIT
// app/run: an application from its command line to its exit status.
//
// The order matters. The pidfile is locked before anything is touched: of two that start at once, one
// does nothing. What lies outside a new root (accounts, log, /dev/null) is opened before the root changes,
// and what only root may do comes before root is given up.

#include "postrider/app/run.hpp"

#include "app/daemon.hpp"
#include "app/log_output.hpp"
#include "app/loop_engine.hpp"
#include "app/options.hpp"
#include "app/pid_file.hpp"
#include "app/privileges.hpp"
#include "app/run_failure.hpp"
#include "app/signals.hpp"
#include "app/standard_streams.hpp"
#include "app/statistics.hpp"
#include "app/surroundings.hpp"
#include "app/systemd.hpp"
#include "base/text.hpp"
#include "postrider/app/reason.hpp"

#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace postrider::app {
namespace {

constexpr mode_t daemon_umask = 077;
constexpr std::chrono::seconds failed_start_patience{30};

std::string absolute(const std::string& path) { return std::filesystem::absolute(path).string(); }

/// Whether it was the system that said no, rather than the program.
exit_status status_of(const std::exception_ptr& thrown)
{
    const std::error_code why = reason(thrown).error();
    const bool system = why.category() == std::system_category() || why.category() == std::generic_category();
    return why && system ? exit_os : exit_software;
}

/// For people: without the name of the exception, where it was thrown to be read.
std::string sentence_of(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& e) {
        // What could not be done and the system's words, without the place in the sources behind them.
        const std::string what = e.what(), words = e.code().message();
        const std::size_t at = what.find(words);
        return at == std::string::npos ? what : what.substr(0, at + words.size());
    } catch (const std::runtime_error& e) {
        return e.what();
    } catch (...) {
        return description_of(thrown);
    }
}

log_destination destination_of(const run_options& how, const std::string& program)
{
    using kind = log_destination::kind;
    log_destination log;
    log.json = how.log_json;
    log.least = how.least;
    log.syslog_prefix = how.syslog_prefix.empty() ? program : how.syslog_prefix;
    if (how.syslog)
        log.what = kind::syslog;
    else if (how.log_file.empty() && !how.daemon && how.standard_error)
        log.what = kind::standard_error;
    else if (how.log_file == "-" || (how.log_file.empty() && !how.daemon))
        log.what = kind::standard_output;
    else
        log.what = kind::file;
    if (log.what == kind::file)
        log.path = absolute(how.log_file.empty() ? program + ".log" : how.log_file);
    return log;
}

bool is_terminal(const log_destination& log)
{
    using kind = log_destination::kind;
    return (log.what == kind::standard_output && ::isatty(STDOUT_FILENO) == 1) ||
           (log.what == kind::standard_error && ::isatty(STDERR_FILENO) == 1);
}

class application_process {
public:
    application_process(application& what, const run_options& how, const std::string& program)
        : application_(what), loop_(what.loop()), how_(how), program_(program),
          log_to_(destination_of(how, program)), begun_(loop_.engine().now())
    {
    }

    int run()
    {
        try {
            prepare();
            go_to_background();
            enter_surroundings();
            start();
        } catch (const run_failure& f) {
            return fail(f.status(), f.what());
        }
        const int status = loop_.run();
        say_the_end();
        return lines_lost() > 0 && status == exit_ok ? exit_io : status;
    }

private:
    // ---- before there is a daemon ---------------------------------------------------------------

    void prepare()
    {
        if (!loop_.engine().own)
            throw run_failure(exit_software, "an application on a loop of the program's is not run by run()");
        if (how_.daemon && log_to_.what == log_destination::kind::standard_output)
            throw run_failure(exit_usage,
                              "a daemon has no standard output: --logfile needs the name of a file");
        inherited_sockets();
        const bool given = !how_.user.empty() || !how_.group.empty();
        becomes_ = given ? find_identity(how_.user, how_.group)
                         : find_identity(application_.user(), application_.group());
        lock_pid_file();
        if (how_.umask || how_.daemon)
            ::umask(how_.umask.value_or(daemon_umask));
        begin_log();
    }

    void lock_pid_file()
    {
        const std::string name = how_.pid_file.value_or(how_.daemon ? program_ + ".pid" : "");
        if (!name.empty())
            pid_file_.emplace(absolute(name));
    }

    void begin_log()
    {
        try {
            open_log(log_to_);
        } catch (const std::system_error& e) {
            throw run_failure(exit_cannot_create, e.what());
        }
        log_open_ = true;
        if (pid_file_ && pid_file_->left_by())
            log_.warning(fmt::format("The pidfile {} was left by PID {}, which is gone; it is replaced.",
                                     pid_file_->path(), *pid_file_->left_by()));
    }

    void go_to_background()
    {
        if (how_.daemon)
            caller_ = become_daemon(*loop_.engine().own, program_);
        if (pid_file_)
            pid_file_->write_number();
    }

    void enter_surroundings()
    {
        if (how_.root.empty())
            return enter({}, how_.directory);
        std::optional<std::string> log_inside, pid_file_inside;
        if (log_to_.what == log_destination::kind::file)
            log_inside = path_inside(how_.root, log_to_.path);
        if (pid_file_)
            pid_file_inside = path_inside(how_.root, pid_file_->path());
        enter(how_.root, how_.directory);
        if (pid_file_)
            pid_file_->found_at(pid_file_inside);
        if (log_inside) {
            log_to_.path = *log_inside;
            open_log(log_to_);
        } else if (log_to_.what == log_destination::kind::file) {
            log_.warning(
                fmt::format("The log file {} lies outside {}: it can neither be opened anew nor rotated.",
                            log_to_.path, how_.root));
        }
    }

    // ---- the start ------------------------------------------------------------------------------

    void start()
    {
        tell_the_stop();
        signals_.emplace(loop_.get_executor(), reactions());
        log_.info(fmt::format("{} is starting.", application_.name()));
        try {
            application_.privileged_start();
            give_up_privileges();
            application_.start();
        } catch (const run_failure& f) {
            stop_what_started(f.status());
            throw;
        } catch (...) {
            const std::exception_ptr thrown = std::current_exception();
            stop_what_started(status_of(thrown));
            throw run_failure(status_of(thrown), sentence_of_failed_start(thrown));
        }
        log_.info(fmt::format("{} is running.", application_.name()));
        notifier_.ready();
        feed_watchdog();
        caller_.tell(exit_ok, {});
    }

    std::string sentence_of_failed_start(const std::exception_ptr& thrown) const
    {
        const std::string& service = loop_.engine().failed_start;
        const std::string which = service.empty() || service == application_.name() ? "" : service + ": ";
        return fmt::format("{} cannot start: {}{}", application_.name(), which, sentence_of(thrown));
    }

    void give_up_privileges()
    {
        if (!becomes_)
            return;
        give_log_to(becomes_->user, becomes_->group);
        become(*becomes_, how_.effective_only);
    }

    void stop_what_started(int status)
    {
        loop_.call_later(failed_start_patience, [this] {
            log_.error("What had started has not stopped: ending at once.");
            end_at_once();
        });
        loop_.stop(status);
        loop_.run();
    }

    // ---- while it runs --------------------------------------------------------------------------

    signals::reactions reactions()
    {
        signals::reactions all;
        all.stop = [this](std::string_view name) { on_stop_signal(name); };
        all.force = [this](std::string_view name) {
            log_.error(fmt::format("Received {} again, ending at once.", name));
            end_at_once();
        };
        all.hangup = [this] { on_hangup(); };
        all.rotate = [this] { on_rotate(); };
        return all;
    }

    void on_stop_signal(std::string_view name)
    {
        log_.info(fmt::format("Received {}, stopping.", name));
        loop_.stop();
    }

    // The log on a terminal cannot be opened anew: there the hangup means that the terminal has gone.
    void on_hangup()
    {
        if (on_terminal_)
            return on_stop_signal("SIGHUP");
        notifier_.reloading(loop_.engine().now());
        if (log_to_.what != log_destination::kind::file)
            log_.info("Received SIGHUP; the log is no file to be opened anew.");
        else if (reopen_log())
            log_.info("Received SIGHUP, the log was opened anew.");
        notifier_.ready();
    }

    void on_rotate()
    {
        if (rotate_log())
            log_.info("Received SIGUSR1, the log was rotated.");
    }

    void feed_watchdog()
    {
        const auto limit = notifier_.watchdog();
        if (!limit)
            return;
        notifier_.alive();
        loop_.call_later(*limit / 2, [this] { feed_watchdog(); });
    }

    // ---- the end --------------------------------------------------------------------------------

    /// However the end comes about, the service manager hears of it before the services do.
    void tell_the_stop()
    {
        std::function<void()>& ending = loop_.engine().ending;
        ending = [this, services_end = std::move(ending)] {
            notifier_.stopping();
            services_end();
        };
    }

    void say_the_end()
    {
        log_.info(fmt::format("{} has stopped.", application_.name()));
        if (!how_.statistics)
            return;
        const rusage used = used_so_far();
        log_.info(time_used(loop_.engine().now() - begun_, used));
        log_.info(memory_used(used));
    }

    int fail(int status, const std::string& sentence)
    {
        // What somebody reads who waits for the command is its complaint, not a line of a log.
        const bool here = log_to_.what == log_destination::kind::standard_error;
        if (log_open_ && !here)
            log_.error(sentence);
        if (pid_file_)
            pid_file_->remove(); // first: who hears of the failure may try again at once
        if (caller_.waits())
            caller_.tell(status, sentence);
        else if (!log_open_ || log_to_.what != log_destination::kind::standard_output)
            fmt::print(stderr, "{}: {}\n", program_, sentence);
        return status;
    }

    [[noreturn]] void end_at_once()
    {
        if (pid_file_)
            pid_file_->remove();
        caller_.tell(exit_software, "ended at once, before it had started");
        ::_exit(exit_software);
    }

    application& application_;
    loop& loop_;
    const run_options& how_;
    const std::string& program_;
    log_destination log_to_;
    const net::time_point begun_;
    const bool on_terminal_ = is_terminal(log_to_);
    bool log_open_ = false;
    logger log_;
    notifier notifier_;
    std::optional<identity> becomes_;
    std::optional<pid_file> pid_file_;
    waiting_caller caller_;
    std::optional<signals> signals_;
};

} // namespace

int run(application& what, int argc, char** argv)
{
    if (!fill_standard_streams())
        return exit_os;
    run_options options;
    if (const auto status = read_command_line(what.name(), options, argc, argv))
        return *status;
    return run(what, options, program_name(argc, argv));
}

int run(application& what, const run_options& how, const std::string& program)
{
    if (!fill_standard_streams())
        return exit_os;
    try {
        return application_process(what, how, program).run();
    } catch (const std::exception& e) {
        fmt::print(stderr, "{}: {}\n", program, base::escaped(e.what()));
        return exit_software;
    }
}

} // namespace postrider::app
