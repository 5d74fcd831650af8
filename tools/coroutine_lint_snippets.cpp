// SPDX-License-Identifier: MIT
// tools/coroutine_lint_snippets: forms that g++ 12 compiles wrongly, and the right ones beside them.
//
// Compiled by nothing; read by tools/coroutine_lint --self-test. A line that a rule must find says
// so at its end, and no other line may be found.

#include <coroutine>
#include <functional>
#include <string>
#include <utility>
#include <vector>

template <class T>
struct task {
    struct promise_type {
        task get_return_object() { return {}; }
        std::suspend_never initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_value(T) {}
        void unhandled_exception() {}
    };
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<>) const {}
    T await_resume() const { return {}; }
};

struct options {
    std::string host;
    int port = 0;
};
struct pair_of_texts {
    std::string a, b;
};
struct trivial {
    int a, b;
};
class server {
public:
    explicit server(std::string host) : host_(std::move(host)) {}
    server& port(int) { return *this; }

private:
    std::string host_;
};

task<std::string> read(options);
task<std::string> ask(server);
task<std::string> numbers(trivial);
task<int> count(int);
task<std::string> call(std::function<int()>);
task<std::string> run(task<int>);
int use(const std::string&, const options&);
template <class F>
task<int> spawn(F f)
{
    return f();
}

// ---- found ------------------------------------------------------------------------------------

task<int> aggregate_argument(std::string host)
{
    co_await read({.host = host, .port = 25});   // finds: temporary-across-co_await
    co_await read(options{host, 25});            // finds: temporary-across-co_await
    co_return use(co_await read(options{}), {}); // finds: temporary-across-co_await
}

task<int> aggregate_beside(std::string host)
{
    const int n = use(co_await ask(server(host)), options{host, 1}); // finds: temporary-across-co_await
    co_return n;
}

task<int> closure_argument(std::string host)
{
    co_await call([host] { return 1; });                    // finds: temporary-across-co_await
    co_await [host]() -> task<int> { co_return 1; }();      // finds: temporary-across-co_await
    co_await spawn([host]() -> task<int> { co_return 1; }); // finds: temporary-across-co_await
    co_return 0;
}

task<int> conditions(int n)
{
    if (co_await count(n)) // finds: condition-of-co_await
        n = 0;
    while (co_await count(n) > 0) // finds: condition-of-co_await
        --n;
    switch (co_await count(n)) { // finds: condition-of-co_await
    case 1: break;
    default: break;
    }
    co_return 0;
}

task<int> shortcut(bool hurry, std::string host)
{
    hurry = hurry && co_await count(1) > 0; // finds: shortcut-around-co_await
    co_return 0;
}

task<int> conditional(bool hurry, std::string host)
{
    const auto a = hurry ? co_await ask(server(host)) : std::string(); // finds: conditional-around-co_await
    co_return a.empty() ? 1 : 2;
}

task<int> braces(std::string host)
{
    const pair_of_texts both{host, co_await ask(server(host))}; // finds: braces-around-co_await
    co_return static_cast<int>(both.a.size());
}

template <class T>
task<int> in_a_template(T host)
{
    co_await read(options{host, 25}); // finds: temporary-across-co_await
    co_return 0;
}
template task<int> in_a_template(std::string);

// ---- let be -----------------------------------------------------------------------------------

task<int> named_local(std::string host)
{
    options o{host, 25};
    co_await read(std::move(o));
    auto f = [host] { return 1; };
    co_await call(std::move(f));
    co_return 0;
}

task<int> class_with_constructor(std::string host)
{
    co_await ask(server(host).port(25));
    co_return 0;
}

task<int> trivial_temporaries(int n)
{
    co_await numbers({n, 2});
    co_await spawn([n]() -> task<int> { co_return n; });
    co_await spawn([&n]() -> task<int> { co_return n; });
    co_return n > 0 ? 1 : 2;
}

task<int> plain_if(bool hurry, std::string host)
{
    std::string a;
    if (hurry)
        a = co_await ask(server(host));
    co_return 0;
}

task<int> first_operand(bool hurry)
{
    if (const bool some = co_await count(1) && hurry; some)
        co_return 1;
    co_return 0;
}

// The co_await inside suspends the lambda, not this function.
int not_a_coroutine(std::string host)
{
    auto t = spawn([host]() -> task<int> {
        co_await ask(server(host));
        co_return 1;
    });
    (void)t;
    return use(host, {host, 1});
}
