// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether the machine is being shut down or restarted, according to systemd.
#pragma once

namespace memonline::bus {

/// False if that is unknown: systemd does not run, or does not reply within two seconds.
bool machine_goes_down();

}  // namespace memonline::bus
