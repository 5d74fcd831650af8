// SPDX-License-Identifier: MIT
// support/name_server: children of the test process, which end with it.

#include "support/name_server.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace postrider::test {

namespace {

namespace fs = std::filesystem;

constexpr const char* nsd_program = "/usr/sbin/nsd";
constexpr std::time_t day = 24 * 60 * 60;

/// Starts a program in `directory`, its output in the file `log` there. It ends with this process,
/// also where a test crashes.
pid_t spawn(const std::vector<std::string>& words, const fs::path& directory, const char* log)
{
    std::vector<char*> arguments;
    for (const std::string& word : words) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    const std::string output = directory / log;

    const pid_t child = ::fork();
    if (child != 0) {
        return child;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ::dup2(file, STDOUT_FILENO) < 0 || ::dup2(file, STDERR_FILENO) < 0 ||
        ::chdir(directory.c_str()) != 0) {
        ::_exit(126);
    }
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
}

std::string read_file(const fs::path& path)
{
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void write_file(const fs::path& path, const std::string& text)
{
    std::ofstream out(path);
    out << text;
    if (!out.flush()) {
        throw std::runtime_error("cannot write " + path.string());
    }
}

/// Runs a program to its end and returns what it printed.
std::string run(const std::vector<std::string>& words, const fs::path& directory)
{
    const pid_t child = spawn(words, directory, "output");
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) {
        throw std::runtime_error("cannot start " + words.front());
    }
    const std::string output = read_file(directory / "output");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error(words.front() + " failed (is the package ldnsutils installed?): " + output);
    }
    return output;
}

/// As ldns-signzone takes it: YYYYMMDDhhmmss in UTC.
std::string date(std::time_t when)
{
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y%m%d%H%M%S", &parts);
    return text.data();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

class socket_handle {
public:
    explicit socket_handle(int type) : descriptor_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {}
    ~socket_handle() { ::close(descriptor_); }
    socket_handle(const socket_handle&) = delete;
    socket_handle& operator=(const socket_handle&) = delete;
    int get() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool bind_to(const socket_handle& s, std::uint16_t port)
{
    const sockaddr_in address = loopback(port);
    return ::bind(s.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// A port that is free for UDP and TCP, for the moment: whoever takes it may be beaten to it.
std::uint16_t free_port()
{
    for (int attempt = 0; attempt < 20; ++attempt) {
        const socket_handle datagram(SOCK_DGRAM);
        const socket_handle stream(SOCK_STREAM);
        sockaddr_in address{};
        socklen_t size = sizeof address;
        if (bind_to(datagram, 0) &&
            ::getsockname(datagram.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
            bind_to(stream, ntohs(address.sin_port))) {
            return ntohs(address.sin_port);
        }
    }
    throw std::runtime_error("no port of 127.0.0.1 is free for UDP and TCP");
}

/// Asks for the name servers of the root, which nsd answers with REFUSED.
bool answers_a_question(std::uint16_t port)
{
    constexpr std::array<unsigned char, 17> question = {0x12, 0x34, 0, 0, 0, 1, 0, 0, 0,
                                                        0,    0,    0, 0, 0, 2, 0, 1};
    const socket_handle s(SOCK_DGRAM);
    const sockaddr_in server = loopback(port);
    if (::connect(s.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0 ||
        ::send(s.get(), question.data(), question.size(), 0) < 0) {
        return false;
    }
    pollfd wait{s.get(), POLLIN, 0};
    std::array<char, 512> reply;
    return ::poll(&wait, 1, 50) == 1 && ::recv(s.get(), reply.data(), reply.size(), 0) > 0;
}

} // namespace

scratch_directory::scratch_directory()
{
    std::string pattern = fs::temp_directory_path() / "postrider-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("cannot make a directory like " + pattern);
    }
    path_ = pattern;
}

scratch_directory::~scratch_directory()
{
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

signed_zone sign(const zone& plain, signatures validity)
{
    const scratch_directory directory;
    const std::string key =
        first_line(run({"ldns-keygen", "-a", "ECDSAP256SHA256", "-k", plain.name}, directory.path()));
    write_file(directory.path() / "zone", plain.text);

    const std::time_t now = std::time(nullptr);
    const bool valid = validity == signatures::valid;
    const std::string from = date(valid ? now - day : now - 60 * day);
    const std::string to = date(valid ? now + 30 * day : now - 30 * day);
    run({"ldns-signzone", "-o", plain.name, "-i", from, "-e", to, "-f", "signed", "zone", key},
        directory.path());

    return {{plain.name, read_file(directory.path() / "signed")},
            first_line(read_file(directory.path() / (key + ".ds")))};
}

name_server::name_server(std::vector<zone> zones) : zones_(std::move(zones))
{
    if (::access(nsd_program, X_OK) != 0) {
        throw std::runtime_error(std::string(nsd_program) + " is not there: install Debian's package nsd");
    }
    for (const zone& z : zones_) {
        write_file(directory_.path() / (z.name + ".zone"), z.text);
    }
    for (int attempt = 0; attempt < 5; ++attempt) {
        const std::uint16_t port = free_port();
        if (start(port)) {
            port_ = port;
            return;
        }
    }
    throw std::runtime_error("nsd does not come up: " + read_file(directory_.path() / "log") +
                             read_file(directory_.path() / "output"));
}

name_server::~name_server() { stop(); }

std::string name_server::address() const { return "127.0.0.1:" + std::to_string(port_); }

void name_server::stop()
{
    if (process_ > 0) {
        ::kill(process_, SIGTERM);
        ::waitpid(process_, nullptr, 0);
        process_ = -1;
    }
}

void name_server::write_configuration(std::uint16_t port) const
{
    const std::string here = directory_.path();
    std::ostringstream text;
    text << "server:\n"
         << "  ip-address: 127.0.0.1@" << port << "\n  server-count: 1\n  verbosity: 0\n"
         << "  username: \"\"\n  chroot: \"\"\n  database: \"\"\n  zonesdir: \"" << here << "\"\n"
         << "  xfrdir: \"" << here << "\"\n  logfile: \"" << here << "/log\"\n"
         << "  pidfile: \"" << here << "/pid\"\n"
         << "  xfrdfile: \"" << here << "/xfrd.state\"\n  zonelistfile: \"" << here
         << "/zone.list\"\n"
         // By default nsd drops what comes from one address at more than 200 questions a second.
         << "  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\n"
         << "remote-control:\n  control-enable: no\n";
    for (const zone& z : zones_) {
        text << "zone:\n  name: \"" << z.name << "\"\n  zonefile: \"" << z.name << ".zone\"\n";
    }
    write_file(directory_.path() / "nsd.conf", text.str());
}

bool name_server::start(std::uint16_t port)
{
    write_configuration(port);
    process_ = spawn({nsd_program, "-d", "-c", directory_.path() / "nsd.conf"}, directory_.path(), "output");
    if (process_ < 0) {
        throw std::runtime_error("cannot start nsd");
    }
    for (int attempt = 0; attempt < 200; ++attempt) {
        if (::waitpid(process_, nullptr, WNOHANG) == process_) {
            process_ = -1;
            return false; // the port was taken, perhaps
        }
        if (answers_a_question(port)) {
            return true;
        }
        ::usleep(20'000);
    }
    stop();
    return false;
}

} // namespace postrider::test
