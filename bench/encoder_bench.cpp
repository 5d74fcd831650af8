// SPDX-License-Identifier: MIT
// bench/encoder (smtp): octets a second through the DATA encoder and decoder, beside what bounds them.
//
// memcpy is the least that a copying encoder could cost; by_octet is the loop that one would write
// without thinking of speed. Each message is 8 MiB, so that it comes from memory, not from a cache,
// as a message does that has just been read from a file or from a peer.
//
// The sink_* benchmarks write to a socket whose other end is drained by a thread: what the choice
// between copying and gathering costs where it counts, in system calls included.

#include "smtp/data_decoder.hpp"
#include "smtp/data_encoder.hpp"
#include "smtp/line_scan.hpp"

#include <benchmark/benchmark.h>

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace postrider::smtp;

constexpr std::size_t message_size = 8 * 1024 * 1024;

enum kind { text_crlf, text_lf, base64_crlf, base64_lf, dots };

std::string of_lines(const std::vector<std::string>& lines, std::string_view line_end)
{
    std::string message;
    for (std::size_t i = 0; message.size() < message_size; ++i)
        message.append(lines[i % lines.size()]).append(line_end);
    return message;
}

std::string make_message(kind what)
{
    const std::vector<std::string> text = {
        "On Monday the committee met and agreed on what everybody had known for weeks,",
        "namely that nothing could be decided before the summer.",
        "",
        "> And who is going to tell them?",
        ".. as the old manual says, which nobody reads any more,",
        "Nobody, I suppose. We shall see what comes of it when the letters have been sent out.",
        "Regards,",
    };
    const std::vector<std::string> base64 = {std::string(76, 'Q')};
    switch (what) {
    case text_crlf: return of_lines(text, "\r\n");
    case text_lf: return of_lines(text, "\n");
    case base64_crlf: return of_lines(base64, "\r\n");
    case base64_lf: return of_lines(base64, "\n");
    case dots: break;
    }
    return of_lines({"."}, "\n");
}

const std::string& message_of(const benchmark::State& state)
{
    static const std::string messages[] = {make_message(text_crlf), make_message(text_lf),
                                           make_message(base64_crlf), make_message(base64_lf),
                                           make_message(dots)};
    return messages[state.range(0)];
}

void label(benchmark::State& state)
{
    constexpr const char* names[] = {"text, CRLF", "text, LF", "base64, CRLF", "base64, LF", "lone dots, LF"};
    state.SetLabel(names[state.range(0)]);
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * message_of(state).size()));
}

void every_kind(benchmark::internal::Benchmark* of) { of->DenseRange(text_crlf, dots); }

/// Calls `write` with each group of ranges, as a driver does.
template <class Write>
void encode_all(std::string_view message, std::vector<std::string_view>& ranges, Write write)
{
    data_encoder encoder;
    while (!message.empty()) {
        message.remove_prefix(encoder.encode(message, ranges));
        write(ranges);
        ranges.clear();
    }
    encoder.finish(ranges);
    write(ranges);
    ranges.clear();
}

void copy(benchmark::State& state)
{
    const std::string& message = message_of(state);
    std::vector<char> to(64 * 1024);
    for (auto _ : state) {
        for (std::size_t at = 0; at < message.size(); at += to.size()) {
            std::memcpy(to.data(), message.data() + at, std::min(to.size(), message.size() - at));
            benchmark::DoNotOptimize(to.data());
            benchmark::ClobberMemory();
        }
    }
    label(state);
}
BENCHMARK(copy)->Name("memcpy")->Arg(text_crlf);

void by_octet(benchmark::State& state)
{
    const std::string& message = message_of(state);
    std::string wire;
    for (auto _ : state) {
        wire.clear();
        char before = '\n';
        for (const char octet : message) {
            if (octet == '\n' && before != '\r')
                wire += '\r';
            if (octet == '.' && before == '\n')
                wire += '.';
            wire += octet;
            before = octet;
        }
        benchmark::DoNotOptimize(wire.data());
    }
    label(state);
}
BENCHMARK(by_octet)->Apply(every_kind);

template <scanned (*scan)(char, std::string_view) noexcept>
void scan_only(benchmark::State& state)
{
    for (auto _ : state)
        benchmark::DoNotOptimize(scan('\n', message_of(state)));
    label(state);
}
BENCHMARK(scan_only<scan_lines>)->Name("scan")->Arg(base64_crlf);
BENCHMARK(scan_only<scan_lines_by_words>)->Name("scan_by_words")->Arg(base64_crlf);

void encode(benchmark::State& state)
{
    std::vector<std::string_view> ranges;
    std::size_t count = 0;
    for (auto _ : state) {
        encode_all(message_of(state), ranges, [&](const std::vector<std::string_view>& all) {
            count += all.size();
            benchmark::DoNotOptimize(all.data());
        });
    }
    label(state);
    state.counters["ranges"] =
        benchmark::Counter(static_cast<double>(count), benchmark::Counter::kAvgIterations);
}
BENCHMARK(encode)->Apply(every_kind);

void decode(benchmark::State& state)
{
    std::string wire;
    std::vector<std::string_view> ranges;
    encode_all(message_of(state), ranges, [&](const std::vector<std::string_view>& all) {
        for (const std::string_view range : all)
            wire += range;
    });
    std::string message;
    constexpr std::size_t read_size = 64 * 1024;
    for (auto _ : state) {
        data_decoder decoder;
        for (std::size_t at = 0; at < wire.size(); at += read_size) {
            message.clear();
            decoder.decode(std::string_view(wire).substr(at, read_size), message);
            benchmark::DoNotOptimize(message.data());
        }
    }
    label(state);
}
BENCHMARK(decode)->Apply(every_kind);

/// One end of a stream socket pair; a thread reads and forgets what comes out of the other.
class drained_socket {
public:
    drained_socket()
    {
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) != 0)
            std::abort();
        reader_ = std::thread([end = ends_[1]] {
            std::vector<char> room(256 * 1024);
            while (::read(end, room.data(), room.size()) > 0) {}
        });
    }
    ~drained_socket()
    {
        ::close(ends_[0]);
        reader_.join();
        ::close(ends_[1]);
    }
    drained_socket(const drained_socket&) = delete;
    drained_socket& operator=(const drained_socket&) = delete;

    void write(const std::vector<std::string_view>& ranges)
    {
        constexpr std::size_t asio_buffers_max = 64; // what Asio hands to one sendmsg()
        for (std::size_t at = 0; at < ranges.size(); at += asio_buffers_max) {
            iovec parts[asio_buffers_max];
            std::size_t count = 0, size = 0;
            for (; count < asio_buffers_max && at + count < ranges.size(); ++count) {
                const std::string_view range = ranges[at + count];
                parts[count] = {const_cast<char*>(range.data()), range.size()};
                size += range.size();
            }
            // The peer reads on, and the socket blocks: all is written but for a signal.
            if (::writev(ends_[0], parts, static_cast<int>(count)) != static_cast<ssize_t>(size))
                std::abort();
        }
    }

private:
    int ends_[2];
    std::thread reader_;
};

void sink(benchmark::State& state)
{
    drained_socket to;
    std::vector<std::string_view> ranges;
    for (auto _ : state)
        encode_all(message_of(state), ranges,
                   [&](const std::vector<std::string_view>& all) { to.write(all); });
    label(state);
}
BENCHMARK(sink)->Apply(every_kind)->UseRealTime();

/// Each change as ranges of their own, nothing copied: the way not taken.
void sink_uncopied(benchmark::State& state)
{
    drained_socket to;
    std::vector<std::string_view> ranges;
    for (auto _ : state) {
        char before = '\n';
        for (std::string_view rest = message_of(state); !rest.empty();) {
            if (is_break(before, rest.front()))
                ranges.push_back(rest.front() == '\n' ? "\r" : ".");
            const std::size_t clean = 1 + scan_lines(rest.front(), rest.substr(1)).clean;
            ranges.push_back(rest.substr(0, clean));
            before = ranges.back().back();
            rest.remove_prefix(clean);
            if (ranges.size() >= 63 || rest.empty()) {
                to.write(ranges);
                ranges.clear();
            }
        }
    }
    label(state);
}
BENCHMARK(sink_uncopied)->Apply(every_kind)->UseRealTime();

} // namespace
