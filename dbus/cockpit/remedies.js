// SPDX-License-Identifier: LGPL-2.1-or-later
// What can be done about a failure: by the error's name on the bus, and for a block by what the
// kernel answered or by what came of it.
import { _ } from "./text.js";

const allow = () => _("Turn on administrative access, or have polkit allow you this action.");
const lookAgain = () => _("The machine has changed since. Look at the new plan, and apply that.");

const OF_CALLS = {
    "org.memonline1.Error.PlanStale": lookAgain,
    "org.memonline1.Error.UnknownPlan": lookAgain,
    "org.memonline1.Error.UnknownJob": () => _("It has ended meanwhile; what it came to is shown below."),
    "org.memonline1.Error.NothingToDo": () => _("It has ended meanwhile; what it came to is shown below."),
    "org.memonline1.Error.Busy": () => _("Wait until the runs before it have ended."),
    "org.freedesktop.DBus.Error.AccessDenied": allow,
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": allow,
};

const OF_BLOCKS = {
    EBUSY: () => _("EBUSY: something holds pages of these blocks, or their device is not ready. End what uses them, then apply the plan that is shown now."),
    EAGAIN: () => _("EAGAIN: pages of these blocks are in use all the time. Try again when the machine has less to do."),
    ENOMEM: () => _("ENOMEM: the kernel needs some memory for each block. Free some, then apply the plan that is shown now."),
    EINVAL: () => _("EINVAL: this kernel does not allow that zone for these blocks. Have the policy put kernel memory below movable memory, or choose another zone."),
    EPERM: () => _("EPERM: a driver or the firmware forbids it. It says why in the kernel's log: journalctl -k"),
    EIO: () => _("EIO: the firmware failed. It says why in the kernel's log: journalctl -k"),
    EHWPOISON: () => _("EHWPOISON: the hardware has errors there. Have the module replaced, and keep these blocks offline in the policy."),
    EACCES: () => _("EACCES: memonlined may not write there. Look for drop-ins that change its sandbox: systemctl cat memonlined"),
    EROFS: () => _("EROFS: /sys is read-only for memonlined. Look for drop-ins that change its sandbox: systemctl cat memonlined"),
    "wrong-zone": () => _("Somebody else brings memory online, too. Who that may be is told by: memonline status"),
    deadline: () => _("These blocks could not be emptied in time. Free memory, or allow more time: memonline apply --deadline"),
    vanished: () => _("These blocks are gone. Look again for a plan without them."),
};

// The same on every architecture, and what the property `Failing` has in place of names.
const NUMBERS = { 1: "EPERM", 5: "EIO", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 16: "EBUSY", 22: "EINVAL", 30: "EROFS" };

/** For a call that was answered with this error, or undefined. */
export function remedyOf(name) {
    return OF_CALLS[name]?.();
}

/** For blocks that the kernel refused with this number; empty: look into the log. */
export function remedyOfNumber(errno) {
    return OF_BLOCKS[NUMBERS[errno]]?.() ?? "";
}

/** Each once, for what a run that has ended did not do. */
export function remediesOf({ Result, Error, Report, Undone }) {
    const found = new Set();
    for (const { document } of [Report ?? {}, Undone ?? {}]) {
        const report = document ? JSON.parse(document) : { steps: [] };
        for (const finding of report.steps.flatMap(({ findings }) => findings)) {
            const remedy = OF_BLOCKS[finding.errno] ?? OF_BLOCKS[finding.outcome];
            if (remedy)
                found.add(remedy());
        }
        if (report.ended === "lock-held")
            found.add(_("Somebody else adds, removes or empties memory. Wait until that has ended, then apply the plan that is shown now."));
        if (report.ended === "killed")
            found.add(_("The process that wrote was killed. Who did that is in the log: journalctl -b"));
    }
    if (Result === "cancelled")
        found.add(_("What was done before stays. To have that taken back, undo the last run."));
    else if (found.size === 0 && (Error || Result === "failed" || Result === "partial"))
        found.add(_("What led to it is in the log: journalctl -u memonlined"));
    return [...found];
}
