// SPDX-License-Identifier: MIT
// fuzz/data (smtp): any message in any pieces comes through DATA whole, and nothing ends it early
//
// The input is a message behind the sizes of its pieces: one octet says how many sizes follow, an
// octet each, used in turn. The message is encoded in these pieces, what comes out is held against
// the rules of the wire, and decoded again in the same pieces. Then the input as it is, is taken for
// what a hostile peer sends after DATA: decoded in two ways, whose results must be the same.

#include "smtp/data_decoder.hpp"
#include "smtp/data_encoder.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace postrider::smtp;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

/// Cuts a text into pieces, each in memory of its own.
class cutter {
public:
    explicit cutter(std::string_view sizes) : sizes_(sizes) {}

    /// Calls `use` with each piece until it says false.
    template <class Use>
    void cut(std::string_view text, Use use) const
    {
        for (std::size_t turn = 0; !text.empty(); ++turn) {
            const std::vector<char> piece(text.begin(), text.begin() + std::min(size(turn), text.size()));
            text.remove_prefix(piece.size());
            if (!use({piece.data(), piece.size()}))
                return;
        }
    }

private:
    /// Each third piece may be so large that the encoder takes it in several steps.
    std::size_t size(std::size_t turn) const
    {
        if (sizes_.empty())
            return std::string_view::npos;
        const std::size_t octet = static_cast<unsigned char>(sizes_[turn % sizes_.size()]);
        return turn % 3 == 2 ? 1 + octet * octet : 1 + octet;
    }

    std::string_view sizes_;
};

std::string encode(std::string_view message, const cutter& cuts, std::size_t ranges_max)
{
    data_encoder encoder;
    std::vector<std::string_view> ranges;
    std::string wire;
    const auto write = [&] {
        require(ranges.size() <= ranges_max + 1);
        for (const std::string_view range : ranges)
            wire += range;
        ranges.clear();
    };
    cuts.cut(message, [&](std::string_view piece) {
        while (!piece.empty()) {
            const std::size_t taken = encoder.encode(piece, ranges, ranges_max);
            require(taken > 0 && taken <= piece.size());
            piece.remove_prefix(taken);
            write();
        }
        return true;
    });
    encoder.finish(ranges);
    write();

    bool eight_bit = false;
    for (const char octet : message)
        eight_bit |= static_cast<unsigned char>(octet) > 0x7f;
    require(encoder.eight_bit() == eight_bit);
    return wire;
}

void check_wire(std::string_view wire)
{
    for (std::size_t i = 0; i < wire.size(); ++i) {
        require(wire[i] != '\r' || wire.substr(i, 2) == "\r\n");
        require(wire[i] != '\n' || (i > 0 && wire[i - 1] == '\r'));
    }
    require(wire == ".\r\n" || wire.find("\r\n.\r\n") == wire.size() - 5);
    require(wire == ".\r\n" || !wire.starts_with(".\r\n"));
}

/// With CRLF for each line end, and one at the end.
std::string normalised(std::string_view message)
{
    std::string lines;
    char before = 'x';
    for (const char octet : message) {
        if (octet == '\r' || (octet == '\n' && before != '\r'))
            lines += "\r\n";
        else if (octet != '\n')
            lines += octet;
        before = octet;
    }
    if (!lines.empty() && !lines.ends_with('\n'))
        lines += "\r\n";
    return lines;
}

struct decoded {
    data_decoder::status what = data_decoder::status::more;
    std::size_t taken = 0;
    std::string message;
    bool operator==(const decoded&) const = default;
};

decoded decode(std::string_view wire, const cutter& cuts)
{
    data_decoder decoder;
    decoded result;
    cuts.cut(wire, [&](std::string_view piece) {
        const data_decoder::progress step = decoder.decode(piece, result.message);
        require(step.what != data_decoder::status::more || step.taken == piece.size());
        result.what = step.what;
        result.taken += step.taken;
        return step.what == data_decoder::status::more;
    });
    return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.empty())
        return 0;
    const std::size_t sizes = std::min<std::size_t>(data[0] % 16, size - 1);
    const cutter cuts(input.substr(1, sizes));
    const std::string_view message = input.substr(1 + sizes);

    const std::string wire = encode(message, cuts, 2 + data[0] / 16);
    check_wire(wire);
    const decoded back = decode(wire, cuts);
    require(back == decoded{data_decoder::status::end, wire.size(), normalised(message)});

    const decoded whole = decode(message, cutter({}));
    require(decode(message, cuts) == whole);
    // What a decoder accepts, an encoder would have sent: so no two readings of one message differ.
    if (whole.what == data_decoder::status::end) {
        const decoded again = decode(encode(whole.message, cutter({}), 64), cutter({}));
        require(again.message == whole.message);
    }
    return 0;
}
