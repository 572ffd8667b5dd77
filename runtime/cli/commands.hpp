// SPDX-License-Identifier: LGPL-2.1-or-later
// One function a command, one file a function (cmd_*.cpp): options in, exit status out.
#pragma once

#include "runtime/cli/command_line.hpp"

namespace memonline::cli {

ExitStatus run(const CheckOptions& options, ColorChoice color);
ExitStatus run(const PlanOptions& options, ColorChoice color);
ExitStatus run(const StatusOptions& options, ColorChoice color);
ExitStatus run(const ExplainOptions& options, ColorChoice color);
ExitStatus run(const CaptureOptions& options, ColorChoice color);
ExitStatus run(const MapOptions& options, ColorChoice color);
ExitStatus run(const GenerateOptions& options, ColorChoice color);
ExitStatus run(const FmtOptions& options, ColorChoice color);
ExitStatus run(const TestOptions& options, ColorChoice color);
ExitStatus run(const CatPolicyOptions& options, ColorChoice color);
ExitStatus run(const ApplyOptions& options, ColorChoice color);
ExitStatus run(const UndoOptions& options, ColorChoice color);
ExitStatus run(const ConfirmOptions& options, ColorChoice color);
ExitStatus run(const BootOptions& options, ColorChoice color);

}  // namespace memonline::cli
