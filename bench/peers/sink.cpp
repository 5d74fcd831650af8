// SPDX-License-Identifier: MIT
// prsink: a neutral SMTP sink for benchmarks (epoll, one thread, OpenSSL for STARTTLS).
//
// It parses the protocol (EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY AUTH STARTTLS QUIT), keeps the
// transaction state (503 for a wrong order), finds the end of DATA on any read boundary, answers a pipelined
// group with one write and throws the message away. Besides SMTP it understands two control commands, which
// are not counted as sessions:
//     XSTAT   -> "250 {json}"   counters since the last XRESET
//     XRESET  -> "250 OK"       counters to zero
// Options: see usage().
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Options {
    std::string host = "127.0.0.1";
    int port = 2600;
    int tlsPort = 0; // implicit TLS
    std::string announce = "PIPELINING,CHUNKING,8BITMIME,SMTPUTF8,ENHANCEDSTATUSCODES,DSN,SIZE";
    std::string cert, key;
    std::string tlsMax = "1.3";
    int tickets = 2;
    double delayMs = 0;    // every reply batch is sent this much later
    double eodDelayMs = 0; // the end-of-message reply takes this long; the session stands still meanwhile
    std::string dump;      // debugging: message n goes to <dump>.<n>
} opt;

struct Counters {
    unsigned long long sessions = 0, closed = 0, ehlo = 0, helo = 0, mail = 0, rcpt = 0, data = 0, bdat = 0,
                       rset = 0, noop = 0, auth = 0, quit = 0, starttls = 0, unknown = 0, badseq = 0,
                       messages = 0, bytes = 0, reads = 0, writes = 0, tls = 0, resumed = 0, maxOpen = 0,
                       aborted = 0;
} cnt;
unsigned long long openNow = 0;

enum class St : unsigned char { Cmd, Data, Bdat, Auth, TlsAccept };

struct Conn {
    int fd = -1;
    SSL* ssl = nullptr;
    St st = St::Cmd;
    unsigned char eodMatch = 0;
    bool haveMail = false, closing = false, wantOut = false, control = false, wantTls = false,
         quitSeen = false;
    bool paused = false; // waiting for a delay to pass
    unsigned rcpts = 0;
    unsigned authSteps = 0;
    unsigned long long bdatLeft = 0;
    bool bdatLast = false;
    unsigned long long msgBytes = 0;
    std::string in;      // unprocessed input (an incomplete line, or input behind a pause)
    std::string out;     // replies not yet written
    std::string pending; // reply held back by eodDelay
    FILE* dump = nullptr;
    unsigned gen = 0;
};

int ep = -1;
SSL_CTX* ctx = nullptr;
std::string ehloPlain, ehloTls;
volatile sig_atomic_t stopping = 0;
std::multimap<double, std::pair<int, unsigned>> timers; // due -> (fd, gen)
std::vector<Conn*> conns;
unsigned genCounter = 0;

double now()
{
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

void update(Conn* c)
{
    epoll_event e{};
    e.events = (c->paused ? 0u : (unsigned)EPOLLIN) | (c->wantOut ? (unsigned)EPOLLOUT : 0u);
    e.data.fd = c->fd;
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

void drop(Conn* c)
{
    if (!c->control) {
        cnt.closed++;
        if (!c->quitSeen)
            cnt.aborted++;
    }
    openNow--;
    if (c->ssl) {
        if (c->quitSeen)
            SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    if (c->dump)
        fclose(c->dump);
    close(c->fd);
    conns[c->fd] = nullptr;
    delete c;
}

// Returns false when the connection is gone.
bool flushOut(Conn* c)
{
    while (!c->out.empty()) {
        cnt.writes++;
        ssize_t n;
        if (c->ssl) {
            n = SSL_write(c->ssl, c->out.data(), (int)c->out.size());
            if (n <= 0) {
                int e = SSL_get_error(c->ssl, (int)n);
                if (e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ) {
                    if (!c->wantOut) {
                        c->wantOut = true;
                        update(c);
                    }
                    return true;
                }
                ERR_clear_error();
                drop(c);
                return false;
            }
        } else {
            n = send(c->fd, c->out.data(), c->out.size(), MSG_NOSIGNAL);
            if (n < 0) {
                if (errno == EINTR)
                    continue;
                if (errno == EAGAIN) {
                    if (!c->wantOut) {
                        c->wantOut = true;
                        update(c);
                    }
                    return true;
                }
                drop(c);
                return false;
            }
        }
        if ((size_t)n == c->out.size())
            c->out.clear();
        else
            c->out.erase(0, (size_t)n);
    }
    if (c->wantOut) {
        c->wantOut = false;
        update(c);
    }
    if (c->wantTls) {
        c->wantTls = false;
        c->in.clear(); // plaintext behind STARTTLS is thrown away
        c->ssl = SSL_new(ctx);
        SSL_set_fd(c->ssl, c->fd);
        SSL_set_accept_state(c->ssl);
        c->st = St::TlsAccept;
    }
    if (c->closing) {
        drop(c);
        return false;
    }
    return true;
}

bool is(std::string_view l, const char* w, size_t n)
{
    return l.size() >= n && strncasecmp(l.data(), w, n) == 0;
}

void resetTx(Conn* c)
{
    c->haveMail = false;
    c->rcpts = 0;
    c->msgBytes = 0;
    c->eodMatch = 2; // as if a CRLF had gone before
    if (c->dump) {
        fclose(c->dump);
        c->dump = nullptr;
    }
}

void messageDone(Conn* c)
{
    cnt.messages++;
    cnt.bytes += c->msgBytes;
    resetTx(c);
    if (opt.eodDelayMs > 0) {
        c->pending = "250 2.0.0 Ok: queued\r\n";
        c->paused = true;
        timers.emplace(now() + opt.eodDelayMs / 1000, std::make_pair(c->fd, c->gen));
    } else {
        c->out += "250 2.0.0 Ok: queued\r\n";
    }
}

void eat(Conn* c, const char* p, size_t n)
{
    c->msgBytes += n;
    if (!opt.dump.empty()) {
        if (!c->dump)
            c->dump = fopen((opt.dump + "." + std::to_string(cnt.messages)).c_str(), "wb");
        if (c->dump)
            fwrite(p, 1, n, c->dump);
    }
}

void stat(Conn* c)
{
    rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    char b[1024];
    snprintf(
        b, sizeof b,
        "250 {\"sessions\":%llu,\"closed\":%llu,\"aborted\":%llu,\"ehlo\":%llu,\"helo\":%llu,\"mail\":%llu,"
        "\"rcpt\":%llu,\"data\":%llu,\"bdat\":%llu,\"rset\":%llu,\"noop\":%llu,\"auth\":%llu,\"quit\":%llu,"
        "\"starttls\":%llu,\"unknown\":%llu,\"badseq\":%llu,\"messages\":%llu,\"bytes\":%llu,\"reads\":%llu,"
        "\"writes\":%llu,\"tls\":%llu,\"resumed\":%llu,\"max_open\":%llu,\"cpu\":%.6f}\r\n",
        cnt.sessions, cnt.closed, cnt.aborted, cnt.ehlo, cnt.helo, cnt.mail, cnt.rcpt, cnt.data, cnt.bdat,
        cnt.rset, cnt.noop, cnt.auth, cnt.quit, cnt.starttls, cnt.unknown, cnt.badseq, cnt.messages,
        cnt.bytes, cnt.reads, cnt.writes, cnt.tls, cnt.resumed, cnt.maxOpen,
        (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
            (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1e-6);
    c->out += b;
}

void command(Conn* c, std::string_view l)
{
    if (is(l, "MAIL FROM:", 10)) {
        cnt.mail++;
        if (c->haveMail) {
            cnt.badseq++;
            c->out += "503 5.5.1 nested MAIL\r\n";
            return;
        }
        c->haveMail = true;
        c->out += "250 2.1.0 Ok\r\n";
    } else if (is(l, "RCPT TO:", 8)) {
        cnt.rcpt++;
        if (!c->haveMail) {
            cnt.badseq++;
            c->out += "503 5.5.1 MAIL first\r\n";
            return;
        }
        c->rcpts++;
        c->out += "250 2.1.5 Ok\r\n";
    } else if (is(l, "BDAT ", 5)) {
        cnt.bdat++;
        char* e;
        std::string a(l.substr(5));
        c->bdatLeft = strtoull(a.c_str(), &e, 10);
        while (*e == ' ')
            e++;
        c->bdatLast = strncasecmp(e, "LAST", 4) == 0;
        c->st = St::Bdat;
    } else if (is(l, "DATA", 4)) {
        cnt.data++;
        if (!c->rcpts) {
            cnt.badseq++;
            c->out += "503 5.5.1 RCPT first\r\n";
            return;
        }
        c->st = St::Data;
        c->eodMatch = 2;
        c->out += "354 End data with <CR><LF>.<CR><LF>\r\n";
    } else if (is(l, "EHLO", 4)) {
        cnt.ehlo++;
        resetTx(c);
        c->out += c->ssl ? ehloTls : ehloPlain;
    } else if (is(l, "HELO", 4)) {
        cnt.helo++;
        resetTx(c);
        c->out += "250 prsink\r\n";
    } else if (is(l, "RSET", 4)) {
        cnt.rset++;
        resetTx(c);
        c->out += "250 2.0.0 Ok\r\n";
    } else if (is(l, "NOOP", 4)) {
        cnt.noop++;
        c->out += "250 2.0.0 Ok\r\n";
    } else if (is(l, "QUIT", 4)) {
        cnt.quit++;
        c->quitSeen = true;
        c->out += "221 2.0.0 Bye\r\n";
        c->closing = true;
    } else if (is(l, "STARTTLS", 8)) {
        cnt.starttls++;
        if (!ctx || c->ssl) {
            c->out += "502 5.5.1 no TLS here\r\n";
            return;
        }
        c->out += "220 2.0.0 Ready to start TLS\r\n";
        c->wantTls = true;
    } else if (is(l, "AUTH ", 5)) {
        cnt.auth++;
        std::string_view a = l.substr(5);
        bool init = a.find(' ') != std::string_view::npos;
        c->authSteps = is(a, "LOGIN", 5) ? (init ? 1 : 2) : (init ? 0 : 1);
        if (c->authSteps) {
            c->st = St::Auth;
            c->out += "334 VXNlcm5hbWU6\r\n";
        } else
            c->out += "235 2.7.0 Ok\r\n";
    } else if (is(l, "VRFY", 4)) {
        c->out += "252 2.0.0 maybe\r\n";
    } else if (is(l, "XSTAT", 5) || is(l, "XRESET", 6)) {
        if (!c->control) {
            c->control = true;
            cnt.sessions--;
        }
        if (is(l, "XRESET", 6)) {
            cnt = Counters{};
            cnt.maxOpen = openNow;
            c->out += "250 OK\r\n";
        } else
            stat(c);
    } else {
        cnt.unknown++;
        c->out += "500 5.5.2 unknown command\r\n";
    }
}

// Consumes what it can of [p, p+n); returns the number of bytes used.
size_t process(Conn* c, const char* p, size_t n)
{
    size_t used = 0;
    while (used < n && !c->closing && !c->wantTls && !c->paused) {
        const char* q = p + used;
        size_t left = n - used;
        if (c->st == St::Bdat) {
            size_t k = left < c->bdatLeft ? left : (size_t)c->bdatLeft;
            eat(c, q, k);
            used += k;
            c->bdatLeft -= k;
        } else if (c->st == St::Data) {
            // eodMatch: number of bytes of CR LF . CR LF seen so far
            static const char pat[] = "\r\n.\r\n";
            size_t i = 0;
            bool end = false;
            while (i < left) {
                if (c->eodMatch == 0) {
                    const char* r = (const char*)memchr(q + i, '\r', left - i);
                    if (!r) {
                        i = left;
                        break;
                    }
                    i = (size_t)(r - q) + 1;
                    c->eodMatch = 1;
                    continue;
                }
                char ch = q[i++];
                if (ch == pat[c->eodMatch]) {
                    if (++c->eodMatch == 5) {
                        end = true;
                        break;
                    }
                } else {
                    c->eodMatch = ch == '\r' ? 1 : 0;
                }
            }
            eat(c, q, i);
            used += i;
            if (end) {
                c->msgBytes -= c->msgBytes >= 3 ? 3 : c->msgBytes; // ".\r\n" is not part of the message
                c->st = St::Cmd;
                messageDone(c);
            }
            continue;
        } else {
            const char* nl = (const char*)memchr(q, '\n', left);
            if (!nl)
                break;
            size_t len = (size_t)(nl - q);
            used += len + 1;
            while (len && (q[len - 1] == '\r'))
                len--;
            if (c->st == St::Auth) {
                if (--c->authSteps)
                    c->out += "334 UGFzc3dvcmQ6\r\n";
                else {
                    c->st = St::Cmd;
                    c->out += "235 2.7.0 Ok\r\n";
                }
            } else {
                command(c, {q, len});
            }
        }
        if (c->st == St::Bdat && c->bdatLeft == 0) {
            c->st = St::Cmd;
            if (!c->rcpts) {
                cnt.badseq++;
                resetTx(c);
                c->out += "503 5.5.1 RCPT first\r\n";
            } else if (c->bdatLast)
                messageDone(c);
            else
                c->out += "250 2.0.0 Ok\r\n";
        }
    }
    return used;
}

// Returns false when the connection is gone.
bool settle(Conn* c)
{
    if (c->out.empty()) {
        if (c->paused)
            update(c);
        return true;
    }
    if (opt.delayMs > 0 && !c->paused) {
        c->paused = true;
        timers.emplace(now() + opt.delayMs / 1000, std::make_pair(c->fd, c->gen));
    }
    if (c->paused) {
        if (opt.eodDelayMs > 0 && opt.delayMs <= 0) {
            update(c);
            return flushOut(c); // replies before the slow one go out at once
        }
        update(c);
        return true;
    }
    return flushOut(c);
}

bool onInput(Conn* c, const char* p, size_t n)
{
    if (!c->in.empty()) {
        c->in.append(p, n);
        size_t u = process(c, c->in.data(), c->in.size());
        c->in.erase(0, u);
    } else {
        size_t u = process(c, p, n);
        if (u < n)
            c->in.assign(p + u, n - u);
    }
    return settle(c);
}

char buf[256 * 1024];

void onReadable(Conn* c)
{
    if (c->st == St::TlsAccept) {
        int r = SSL_accept(c->ssl);
        if (r != 1) {
            int e = SSL_get_error(c->ssl, r);
            if (e == SSL_ERROR_WANT_READ)
                return;
            if (e == SSL_ERROR_WANT_WRITE) {
                c->wantOut = true;
                update(c);
                return;
            }
            ERR_clear_error();
            drop(c);
            return;
        }
        cnt.tls++;
        if (SSL_session_reused(c->ssl))
            cnt.resumed++;
        resetTx(c);
        c->st = St::Cmd;
        if (c->wantOut) {
            c->wantOut = false;
            update(c);
        }
        if (c->control)
            c->out += "";
        if (!c->out.empty() && !flushOut(c))
            return;
    }
    // A few reads per wake-up, so that one fast client can't starve the others.
    for (int i = 0; i < 4 && !c->paused; i++) {
        ssize_t n;
        if (c->ssl) {
            n = SSL_read(c->ssl, buf, sizeof buf);
            if (n <= 0) {
                int e = SSL_get_error(c->ssl, (int)n);
                if (e == SSL_ERROR_WANT_READ)
                    return;
                if (e == SSL_ERROR_WANT_WRITE) {
                    c->wantOut = true;
                    update(c);
                    return;
                }
                ERR_clear_error();
                drop(c);
                return;
            }
        } else {
            n = recv(c->fd, buf, sizeof buf, 0);
            if (n == 0) {
                drop(c);
                return;
            }
            if (n < 0) {
                if (errno == EAGAIN || errno == EINTR)
                    return;
                drop(c);
                return;
            }
        }
        cnt.reads++;
        if (!onInput(c, buf, (size_t)n))
            return;
        if (!c->ssl && (size_t)n < sizeof buf)
            return; // socket drained
        if (c->st == St::TlsAccept)
            return;
    }
    if (c->ssl && SSL_pending(c->ssl) > 0 && !c->paused) {
        // Data inside OpenSSL does not wake epoll; come back at once.
        timers.emplace(0.0, std::make_pair(c->fd, c->gen));
    }
}

void onTimer(Conn* c)
{
    if (c->paused) {
        c->paused = false;
        if (!c->pending.empty()) {
            c->out += c->pending;
            c->pending.clear();
        }
        update(c);
        if (!flushOut(c))
            return;
        if (!c->in.empty() && c->st != St::TlsAccept) {
            std::string rest;
            rest.swap(c->in);
            if (!onInput(c, rest.data(), rest.size()))
                return;
        }
    }
    if (c->ssl && !c->paused)
        onReadable(c);
}

int listenOn(int port)
{
    int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, opt.host.c_str(), &a.sin_addr) != 1) {
        fprintf(stderr, "bad host\n");
        exit(2);
    }
    if (bind(s, (sockaddr*)&a, sizeof a) || listen(s, 4096)) {
        perror("bind");
        exit(1);
    }
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.fd = s;
    epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
    return s;
}

void acceptAll(int ls, bool implicit)
{
    for (;;) {
        int fd = accept4(ls, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        auto* c = new Conn;
        c->fd = fd;
        c->gen = ++genCounter;
        if (conns.size() <= (size_t)fd)
            conns.resize((size_t)fd + 64, nullptr);
        conns[(size_t)fd] = c;
        cnt.sessions++;
        if (++openNow > cnt.maxOpen)
            cnt.maxOpen = openNow;
        epoll_event e{};
        e.events = EPOLLIN;
        e.data.fd = fd;
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
        c->out = "220 prsink ESMTP\r\n";
        if (implicit) {
            c->ssl = SSL_new(ctx);
            SSL_set_fd(c->ssl, fd);
            SSL_set_accept_state(c->ssl);
            c->st = St::TlsAccept;
        } else {
            settle(c);
        }
    }
}

void usage()
{
    fprintf(
        stderr,
        "usage: prsink [options]\n"
        "  --host A            address to listen on (127.0.0.1)\n"
        "  --port N            SMTP port (2600)\n"
        "  --tls-port N        SMTP over TLS from the first byte (off)\n"
        "  --announce LIST     extensions, comma separated; STARTTLS is added when there is a certificate\n"
        "                      (%s)\n"
        "  --cert F --key F    PEM files for TLS\n"
        "  --tls-max 1.2|1.3   highest TLS version (1.3)\n"
        "  --tickets N         TLS 1.3 session tickets per connection; 0: no resumption at all (2)\n"
        "  --delay-ms D        send each batch of replies D ms later\n"
        "  --eod-delay-ms D    the reply to the end of a message takes D ms (a slow receiver)\n"
        "  --dump PREFIX       write message n to PREFIX.n (debugging)\n",
        opt.announce.c_str());
    exit(2);
}

} // namespace

int main(int argc, char** argv)
{
    for (int i = 1; i < argc; i++) {
        std::string_view a = argv[i];
        if (i + 1 >= argc)
            usage();
        const char* v = argv[++i];
        if (a == "--host")
            opt.host = v;
        else if (a == "--port")
            opt.port = atoi(v);
        else if (a == "--tls-port")
            opt.tlsPort = atoi(v);
        else if (a == "--announce")
            opt.announce = v;
        else if (a == "--cert")
            opt.cert = v;
        else if (a == "--key")
            opt.key = v;
        else if (a == "--tls-max")
            opt.tlsMax = v;
        else if (a == "--tickets")
            opt.tickets = atoi(v);
        else if (a == "--delay-ms")
            opt.delayMs = atof(v);
        else if (a == "--eod-delay-ms")
            opt.eodDelayMs = atof(v);
        else if (a == "--dump")
            opt.dump = v;
        else
            usage();
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, [](int) { stopping = 1; });
    signal(SIGINT, [](int) { stopping = 1; });
    if (!opt.cert.empty()) {
        ctx = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_max_proto_version(ctx, opt.tlsMax == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION);
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_id_context(ctx, (const unsigned char*)"prsink", 6);
        SSL_CTX_set_num_tickets(ctx, (size_t)opt.tickets);
        if (opt.tickets == 0) {
            SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
            SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        }
        if (SSL_CTX_use_certificate_chain_file(ctx, opt.cert.c_str()) != 1 ||
            SSL_CTX_use_PrivateKey_file(ctx, opt.key.c_str(), SSL_FILETYPE_PEM) != 1) {
            ERR_print_errors_fp(stderr);
            return 1;
        }
    }
    std::vector<std::string> ext;
    for (size_t b = 0; b < opt.announce.size();) {
        size_t e = opt.announce.find(',', b);
        if (e == std::string::npos)
            e = opt.announce.size();
        std::string x = opt.announce.substr(b, e - b);
        if (x == "SIZE")
            x = "SIZE 104857600";
        if (x == "AUTH")
            x = "AUTH PLAIN LOGIN";
        if (!x.empty() && x != "STARTTLS")
            ext.push_back(x);
        b = e + 1;
    }
    auto ehlo = [&](bool tls) {
        std::vector<std::string> l{"prsink"};
        l.insert(l.end(), ext.begin(), ext.end());
        if (!tls && ctx)
            l.push_back("STARTTLS");
        std::string r;
        for (size_t i = 0; i < l.size(); i++)
            r += (i + 1 == l.size() ? "250 " : "250-") + l[i] + "\r\n";
        return r;
    };
    ehloPlain = ehlo(false);
    ehloTls = ehlo(true);
    ep = epoll_create1(EPOLL_CLOEXEC);
    int ls = listenOn(opt.port), lt = opt.tlsPort ? listenOn(opt.tlsPort) : -1;
    if (lt >= 0 && !ctx)
        usage();
    epoll_event ev[256];
    while (!stopping) {
        timespec ts{}, *tp = nullptr;
        if (!timers.empty()) {
            double d = timers.begin()->first - now();
            if (d < 0)
                d = 0;
            ts.tv_sec = (time_t)d;
            ts.tv_nsec = (long)((d - (double)ts.tv_sec) * 1e9);
            tp = &ts;
        }
        int n = epoll_pwait2(ep, ev, 256, tp, nullptr);
        for (int i = 0; i < n; i++) {
            int fd = ev[i].data.fd;
            if (fd == ls) {
                acceptAll(ls, false);
                continue;
            }
            if (fd == lt) {
                acceptAll(lt, true);
                continue;
            }
            Conn* c = (size_t)fd < conns.size() ? conns[(size_t)fd] : nullptr;
            if (!c)
                continue;
            if ((ev[i].events & EPOLLOUT) && c->st != St::TlsAccept) {
                unsigned g = c->gen;
                if (!c->paused && !flushOut(c))
                    continue;
                if (!conns[(size_t)fd] || conns[(size_t)fd]->gen != g)
                    continue;
            }
            if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) || c->st == St::TlsAccept) {
                if (c->paused && (ev[i].events & (EPOLLHUP | EPOLLERR))) {
                    drop(c);
                    continue;
                }
                onReadable(c);
            }
        }
        if (!timers.empty()) {
            double t = now();
            while (!timers.empty() && timers.begin()->first <= t) {
                auto [fd, gen] = timers.begin()->second;
                timers.erase(timers.begin());
                Conn* c = (size_t)fd < conns.size() ? conns[(size_t)fd] : nullptr;
                if (c && c->gen == gen)
                    onTimer(c);
            }
        }
    }
    return 0;
}
