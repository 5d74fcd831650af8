// SPDX-License-Identifier: MIT
#pragma once
// cli/send_output: reports and plans, as text for people and as one JSON object for programs.

#include "cli/exit_status.hpp"
#include "cli/terminal.hpp"
#include "postrider/mailer.hpp"
#include "postrider/report.hpp"
#include "postrider/server.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace postrider::cli {

/// One line a recipient, with a headline a message if there are several (`names`: of the messages).
std::string report_text(const std::vector<report>& reports, const std::vector<std::string>& names,
                        const terminal& to);
std::string report_json(const std::vector<report>& reports, const std::vector<std::string>& names,
                        exit_status status);

std::string plan_text(const std::vector<planned_route>& plan, const terminal& to);
std::string plan_json(const std::vector<planned_route>& plan);
std::string plan_text(const server& everything);
std::string plan_json(const server& everything);

} // namespace postrider::cli
