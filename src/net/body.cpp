// SPDX-License-Identifier: MIT
// net/body: bodies in memory and in mapped files.

#include "postrider/body.hpp"

#include "base/text.hpp"

#include <boost/asio/error.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <system_error>
#include <utility>

namespace postrider {
namespace {

// All of it in one range.
class whole_reader final : public body_reader {
public:
    whole_reader(std::string_view octets, std::shared_ptr<const void> keeper)
        : octets_(octets), keeper_(std::move(keeper))
    {
    }

    status read(std::string_view& range) override
    {
        range = std::exchange(octets_, std::string_view());
        return status::last;
    }

private:
    std::string_view octets_;
    std::shared_ptr<const void> keeper_;
};

// Octets that lie still somewhere, kept there by `keeper`.
class memory_source final : public body_source {
public:
    memory_source(std::string_view octets, std::shared_ptr<const void> keeper)
        : octets_(octets), keeper_(std::move(keeper))
    {
    }

    std::unique_ptr<body_reader> open() override { return std::make_unique<whole_reader>(octets_, keeper_); }
    std::optional<std::uint64_t> size() const override { return octets_.size(); }

    std::optional<bool> eight_bit() const override
    {
        int known = eight_bit_.load(std::memory_order_relaxed);
        if (known < 0) {
            known = base::has_eight_bit(octets_) ? 1 : 0;
            eight_bit_.store(known, std::memory_order_relaxed);
        }
        return known == 1;
    }

private:
    std::string_view octets_;
    std::shared_ptr<const void> keeper_;
    // Found out when first asked for; -1: not yet. Copies of a body may be in several threads.
    mutable std::atomic<int> eight_bit_{-1};
};

class descriptor {
public:
    explicit descriptor(const std::string& path) : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC))
    {
        if (number_ < 0)
            throw std::system_error(errno, std::generic_category(), path);
    }
    ~descriptor() { ::close(number_); }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    int number() const noexcept { return number_; }

private:
    int number_;
};

} // namespace

void body_reader::async_wait(boost::asio::any_completion_handler<void(boost::system::error_code)> done)
{
    std::move(done)(boost::asio::error::operation_not_supported);
}

body::body(std::string octets)
{
    auto kept = std::make_shared<const std::string>(std::move(octets));
    source_ = std::make_shared<memory_source>(*kept, kept);
}

body::body(const char* octets) : body(std::string(octets)) {}

body body::view(std::string_view octets) { return body(std::make_shared<memory_source>(octets, nullptr)); }

body body::file(const std::string& path)
{
    const descriptor file(path);
    struct stat about = {};
    if (::fstat(file.number(), &about) != 0)
        throw std::system_error(errno, std::generic_category(), path);
    if (S_ISDIR(about.st_mode))
        throw std::system_error(EISDIR, std::generic_category(), path);
    if (!S_ISREG(about.st_mode))
        throw std::system_error(EINVAL, std::generic_category(), path + " is not a regular file");
    const auto size = static_cast<std::size_t>(about.st_size);
    if (size == 0)
        return view({});
    void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
    if (mapped == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), path);
    ::madvise(mapped, size, MADV_SEQUENTIAL);
    std::shared_ptr<const void> keeper(mapped,
                                       [size](const void* at) { ::munmap(const_cast<void*>(at), size); });
    return body(
        std::make_shared<memory_source>(std::string_view(static_cast<const char*>(mapped), size), keeper));
}

} // namespace postrider
