// SPDX-License-Identifier: MIT
// tests/fuzz/run_corpus: feeds a fuzz target every file below the folders given, without libFuzzer.
//
// So that what a fuzzer once found stays found, on every compiler and sanitizer. Each input is
// tried whole and also cut short at each of its first octets, which costs nothing and finds what a
// lone corpus file would not. A folder without any file is a mistake, and fails.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t prefixes_max = 256;

std::vector<std::uint8_t> read(const std::filesystem::path& path)
{
    std::ifstream in(path, std::ios::binary);
    const std::string octets{std::istreambuf_iterator<char>(in), {}};
    return {octets.begin(), octets.end()};
}

void run(const std::vector<std::uint8_t>& input)
{
    // Each input in an allocation of its own size, so that a read past its end is seen.
    for (std::size_t size = 0; size < input.size() && size < prefixes_max; ++size) {
        const std::vector<std::uint8_t> cut(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
        LLVMFuzzerTestOneInput(cut.data(), cut.size());
    }
    LLVMFuzzerTestOneInput(input.data(), input.size());
}

} // namespace

int main(int argc, char** argv)
{
    int files = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
            if (!entry.is_regular_file())
                continue;
            std::printf("%s\n", entry.path().c_str());
            std::fflush(stdout); // the last name printed is the one that crashed
            run(read(entry.path()));
            ++files;
        }
    }
    if (files == 0) {
        std::fprintf(stderr, "no corpus file was given\n");
        return 1;
    }
    return 0;
}
