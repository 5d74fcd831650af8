// SPDX-License-Identifier: MIT
#pragma once
// app/service: something that is started and stopped with its application, alone or as one of several.
//
// A service belongs to one parent at a time; the root is the application (postrider/app/application.hpp).
// Starting has two steps, for all services the first before the second: on_privileged_start(), while the
// process still may do what only root may (listen on port 25, read a key), and on_start(). Both are done
// in the order in which services were added. Stopping begins with the last, does not wait between them,
// and has ended when all have.
//
// Failures: an exception in a start stops what had started, in reverse order, and goes to the caller. An
// exception in a stop is logged and keeps no other service from stopping.
//
// on_stop() is called once for each on_privileged_start() that succeeded: also when on_start() threw, or
// was never reached because another service failed. What throws in the first step undoes itself.
//
// Threads: that of the loop.

#include "postrider/app/eventually.hpp"
#include "postrider/app/log.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postrider::app {

class loop;
class multi_service;

class service : public std::enable_shared_from_this<service> {
public:
    explicit service(std::string name = {});
    virtual ~service();
    service(const service&) = delete;
    service& operator=(const service&) = delete;

    const std::string& name() const noexcept { return name_; } ///< may be empty; unique within a parent
    void set_name(std::string name); ///< throws std::logic_error while there is a parent

    bool running() const noexcept { return stage_ == stage::running; } ///< from the end of start() to stop()
    multi_service* parent() const noexcept { return parent_; }

    /// The application's; for a service that was taken out, until it has stopped. Throws std::logic_error,
    /// and says so, where there is none above.
    app::loop& loop() const;

    logger log() const { return logger(log_prefix()); }
    virtual std::string log_prefix() const; ///< the name; without one, that of the class

    /// What parents and the runner call. Out of their order: std::logic_error.
    void privileged_start();
    void start(); ///< with the first step, if that was not done

    /// Begins at the call and completes when the service has stopped; at once if it had not been started.
    /// A second call waits for the end of the first. Within on_start() it is carried out when the start
    /// has ended; within on_privileged_start() it is a std::logic_error (loop().stop() is none). Who
    /// cancels it no longer waits; the service stops all the same. What on_stop() returns must not await
    /// it, nor that of a parent: it would wait for itself.
    boost::asio::awaitable<void> stop();

protected:
    virtual void on_privileged_start() {} ///< as root, if the program was started so
    virtual void on_start() {}
    virtual eventually<void> on_stop() { return {}; } ///< a coroutine where the end takes time

    /// The application goes though this has not stopped: lets go of what it has on the loop, without a
    /// word to anybody. Somebody may hold the service for longer.
    virtual void on_abandon() noexcept {}

    /// Of a root of services: the loop of all that are below.
    virtual app::loop* own_loop() const noexcept { return nullptr; }

private:
    friend class multi_service;
    enum class stage { idle, preparing, prepared, starting, running, stopping };
    struct ending;

    app::loop* find_loop() const noexcept;
    void note_failed_start() const;
    void require_idle() const;
    void require_prepared() const;
    std::shared_ptr<ending> begin_stop();
    void carry_out_stop();
    const std::shared_ptr<ending>& want_stop();
    void end_with(eventually<void> rest);
    void stopped();
    static void carry_on(const std::shared_ptr<ending>& what, boost::asio::any_io_executor where);
    static boost::asio::awaitable<void> finish(std::shared_ptr<ending> what, std::shared_ptr<service> alive);
    static boost::asio::awaitable<void> wait_for(std::shared_ptr<ending> what);

    std::string name_;
    multi_service* parent_ = nullptr;
    multi_service* left_ = nullptr; // whom it was taken from, while it stops
    stage stage_ = stage::idle;
    std::shared_ptr<ending> ending_; // while a stop is wanted or under way
};

/// Services in an order, as one.
class multi_service : public service {
public:
    explicit multi_service(std::string name = {});
    ~multi_service() override;

    /// Takes a service in, at the end. While this one runs it is started at once, both steps; if that
    /// throws it is not taken. Within a start of this one it is started in its turn. Throws
    /// std::invalid_argument if another has its name, std::logic_error if it has a parent, or if it was
    /// started without one.
    void add(std::shared_ptr<service> one);

    /// Makes a service and adds it.
    template <class Service, class... Arguments>
    std::shared_ptr<Service> emplace(Arguments&&... arguments)
    {
        auto made = std::make_shared<Service>(std::forward<Arguments>(arguments)...);
        add(made);
        return made;
    }

    /// Takes it out at the call, and stops it if it was started; completes when it has stopped. If this
    /// one stops meanwhile it waits for it too. Throws std::invalid_argument if it is not here.
    boost::asio::awaitable<void> remove(service& one);

    std::shared_ptr<service> find(std::string_view name) const noexcept; ///< nothing if there is none
    service& at(std::string_view name) const; ///< throws std::out_of_range, which names those there are

    const std::vector<std::shared_ptr<service>>& services() const noexcept { return services_; }

protected:
    void on_privileged_start() override;
    void on_start() override;
    eventually<void> on_stop() override;
    void on_abandon() noexcept override { disown_all(); }

    void disown_all() noexcept; ///< lets go of all, the last first

private:
    friend class service;

    void do_in_order(void (service::*step)());
    void start_late(const std::shared_ptr<service>& one);
    void stop_all();
    std::shared_ptr<ending> take_out(service& one);
    void forget(service& one) noexcept;
    std::shared_ptr<ending> next_ending() const noexcept;
    static boost::asio::awaitable<void> wait_for_all(std::shared_ptr<ending> own);

    std::vector<std::shared_ptr<service>> services_;
    std::vector<std::shared_ptr<service>> leaving_; // taken out, and not yet stopped
};

} // namespace postrider::app
