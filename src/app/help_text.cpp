// SPDX-License-Identifier: MIT
// app/help_text: CLI11's words turned into ours.

#include "app/help_text.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

namespace postrider::app {
namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// The commands that were chosen, as typed: "postrider send".
const CLI::App& chosen_of(const CLI::App& program)
{
    const auto chosen = program.get_subcommands();
    return chosen.empty() ? program : *chosen.front();
}

std::string names_of_commands(const CLI::App& program)
{
    std::string names;
    for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; }))
        names += (names.empty() ? "" : ", ") + command->get_name();
    return names;
}

std::string unexpected(const CLI::App& program)
{
    std::vector<std::string> words = chosen_of(program).remaining();
    if (words.empty())
        words = program.remaining();
    const std::string word = words.empty() ? "" : base::escaped(words.front(), 256);
    if (word.starts_with('-') && word.size() > 1)
        return fmt::format("there is no option '{}'", word);
    return fmt::format("'{}' is one word too many", word);
}

std::string missing_command(const CLI::App& program)
{
    const std::vector<std::string> words = program.remaining();
    if (words.empty())
        return fmt::format("a command is needed: {}", names_of_commands(program));
    const std::string word = base::escaped(words.front(), 256);
    if (word.starts_with('-'))
        return fmt::format("there is no option '{}'", word);
    return fmt::format("there is no command '{}'; the commands are: {}", word, names_of_commands(program));
}

// CLI11 says "--to: 1 required ADDRESS missing" and "--from: At Most 1 required but received 2".
std::string mismatch(const std::string& words)
{
    const std::string option = words.substr(0, words.find(": "));
    const std::size_t type = words.find(" required "), missing = words.rfind(" missing");
    if (words.find("At Most 1 ") != std::string::npos)
        return fmt::format("{} can be given only once", option);
    if (type != std::string::npos && missing != std::string::npos && type + 10 < missing)
        return fmt::format("{} needs a value: {} {}", option, option,
                           words.substr(type + 10, missing - type - 10));
    return words;
}

} // namespace

help_text::help_text()
{
    column_width(25);
    label("SUBCOMMAND", "COMMAND");
    label("Positionals", "Arguments");
}

std::string help_text::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const
{
    std::string out = make_usage(app, std::move(name));
    out += fmt::format("\n{}\n", app->get_description());
    out += make_positionals(app) + make_groups(app, mode) + make_subcommands(app, mode);
    if (const std::string footer = make_footer(app); !footer.empty())
        out += "\n" + footer;
    return out;
}

std::string help_text::make_subcommand(const CLI::App* sub) const
{
    return fmt::format("  {:<{}}{}\n", sub->get_name(), get_column_width() - 2,
                       first_line(sub->get_description()));
}

std::string help_text::make_option_name(const CLI::Option* option, bool is_positional) const
{
    if (is_positional)
        return option->get_type_name();
    return CLI::detail::find_and_replace(option->get_name(false, true), ",", ", ");
}

std::string help_text::make_option_opts(const CLI::Option* option) const
{
    return option->get_positional() || option->get_type_size() == 0 ? "" : " " + option->get_type_name();
}

std::string help_text::make_option_usage(const CLI::Option* option) const
{
    return fmt::format("[{}...]", option->get_type_name());
}

std::string sentence_for(const CLI::ParseError& wrong, const CLI::App& program)
{
    if (dynamic_cast<const CLI::ExtrasError*>(&wrong) != nullptr)
        return unexpected(program);
    if (dynamic_cast<const CLI::RequiredError*>(&wrong) != nullptr && program.get_subcommands().empty())
        return missing_command(program);
    const std::string words = base::escaped(wrong.what(), 1024);
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&wrong) != nullptr)
        return mismatch(words);
    return words;
}

CLI::Validator whole_number(std::string what, unsigned least, unsigned most)
{
    const auto check = [what = std::move(what), least, most](const std::string& text) -> std::string {
        unsigned value = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (failed == std::errc() && end == text.data() + text.size() && value >= least && value <= most)
            return {};
        return fmt::format("'{}' is not {} from {} to {}", text, what, least, most);
    };
    return CLI::Validator(check, ""); // its description would stand behind the option's name
}

} // namespace postrider::app
