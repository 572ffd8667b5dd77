// SPDX-License-Identifier: LGPL-2.1-or-later
// Remedies for failures: of a call, by the D-Bus name of its error; of a block, by the kernel's
// errno or by the outcome in the report.
import { _ } from "./text.js";

const allow = () => _("Turn on administrative access, or allow this action in polkit.");
const reviewPlan = () => _("This plan is outdated. Review the new plan, then apply it.");

const OF_CALLS = {
    "org.memonline1.Error.PlanStale": reviewPlan,
    "org.memonline1.Error.UnknownPlan": reviewPlan,
    "org.memonline1.Error.UnknownJob": () => _("The job has already finished. The result is shown below."),
    "org.memonline1.Error.NothingToDo": () => _("The job has already finished. The result is shown below."),
    "org.memonline1.Error.Busy": () => _("Wait until earlier jobs have finished."),
    "org.freedesktop.DBus.Error.AccessDenied": allow,
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": allow,
};

const OF_BLOCKS = {
    EBUSY: () => _("EBUSY: pages of these blocks cannot be moved, or their device is not ready. Stop the programs that use them, then apply the current plan."),
    EAGAIN: () => _("EAGAIN: pages of these blocks are constantly in use. Try again when the machine is less busy."),
    ENOMEM: () => _("ENOMEM: the kernel could not allocate the memory it needs for each block. Free some memory, then apply the current plan."),
    EINVAL: () => _("EINVAL: this kernel does not allow the zone for these blocks. In the policy, place kernel zones below Movable, or choose another zone."),
    EPERM: () => _("EPERM: a driver or the firmware forbids it. For the reason, see the kernel log: journalctl -k"),
    EIO: () => _("EIO: the firmware failed. For the reason, see the kernel log: journalctl -k"),
    EHWPOISON: () => _("EHWPOISON: these blocks have hardware errors. Replace the memory module, and keep these blocks offline in the policy."),
    EACCES: () => _("EACCES: memonlined is not allowed to write to /sys. Check for drop-ins that change its sandbox: systemctl cat memonlined"),
    EROFS: () => _("EROFS: /sys is read-only for memonlined. Check for drop-ins that change its sandbox: systemctl cat memonlined"),
    "wrong-zone": () => _("A competing onlining agent may have changed these blocks. To find it, run: memonline status"),
    deadline: () => _("These blocks could not be offlined within the time limit. Free memory, or allow more time: memonline apply --deadline"),
    vanished: () => _("These blocks no longer exist. Check again for a plan without them."),
};

// The property `Failing` has numbers, not names; these are the same on all architectures.
const NUMBERS = { 1: "EPERM", 5: "EIO", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 16: "EBUSY", 22: "EINVAL", 30: "EROFS" };

/** For a call that failed with this error, or undefined. */
export function remedyOf(name) {
    return OF_CALLS[name]?.();
}

/** For blocks that the kernel refused with this number; empty: the log has the details. */
export function remedyOfNumber(errno) {
    return OF_BLOCKS[NUMBERS[errno]]?.() ?? "";
}

/** For the failures of a finished job, each remedy once. */
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
            found.add(_("Another process holds the kernel's hotplug lock. Wait until it has finished, then apply the current plan."));
        if (report.ended === "killed")
            found.add(_("The writing process was killed. For the cause, see the log: journalctl -b"));
    }
    if (Result === "cancelled")
        found.add(_("Blocks changed before the cancellation stay changed. To revert them, undo the last change."));
    else if (found.size === 0 && (Error || Result === "failed" || Result === "partial"))
        found.add(_("For details, see the log: journalctl -u memonlined"));
    return [...found];
}
