// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether the machine is being shut down or restarted, as systemd says.
#pragma once

namespace memonline::bus {

/// False where that is not known: there is no systemd, or it does not answer within two seconds.
bool machine_goes_down();

}  // namespace memonline::bus
