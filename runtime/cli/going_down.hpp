// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether the machine is being shut down or restarted, according to systemd.
#pragma once

namespace memonline::cli {

/// False if that is unknown: without systemd, or if it does not answer within two seconds.
bool machine_goes_down();

}  // namespace memonline::cli
