// SPDX-License-Identifier: LGPL-2.1-or-later
// The alerts at the top of the page, each with a remedy.
import { _, blockNames, byId, format, make } from "./text.js";
import { remedyOfNumber } from "./remedies.js";

/** An alert: kind (danger, warning, info), title, then text or elements. */
function alert(kind, title, ...rest) {
    return make("div", { class: `alert ${kind}`, role: kind === "danger" ? "alert" : "note", "aria-label": title },
        make("h2", {}, title), ...rest.map(part => typeof part === "string" ? make("p", {}, part) : part));
}

function button(text, work) {
    return make("button", { type: "button", class: "secondary", onclick: work }, text);
}

function failing(rows, check) {
    return alert("danger", _("Could not apply the policy to these blocks"),
        make("ul", {}, ...rows.map(([first, last, , text]) =>
            make("li", {}, make("b", {}, blockNames([first, last])), `: ${text}`))),
        ...new Set(rows.map(([, , errno]) => remedyOfNumber(errno)).filter(remedy => remedy)),
        _("memonlined keeps retrying. For details, see the log: journalctl -u memonlined"),
        button(_("Check again"), check));
}

function reboot({ set = [], remove = [] }, written, write) {
    const words = [...set.map(word => make("li", {}, make("code", {}, word))),
        ...remove.map(word => make("li", {}, make("del", {}, make("code", {}, word))))];
    if (written)
        return alert("info", _("Kernel parameters set for the next boot"), make("ul", {}, ...words),
            _("Reboot this machine for them to take effect."));
    return alert("warning", _("A reboot is needed"),
        _("The policy requires changes to the kernel parameters:"), make("ul", {}, ...words),
        button(_("Set kernel parameters"), write));
}

/** `written`: the kernel parameters written to the boot loader, as JSON. `actions`: check, reload, write. */
export function showAlerts(manager, errors, written, actions) {
    const alerts = errors.map(({ title, message, remedy, dismiss }) =>
        alert("danger", title, message, ...(remedy ? [remedy] : []), button(_("Dismiss"), dismiss)));
    if (manager.Problems)
        alerts.push(alert("danger", _("Could not apply the policies on disk"),
            make("pre", { tabindex: 0, role: "group", "aria-label": _("Could not apply the policies on disk") }, manager.Problems),
            _("If a policy file has errors, correct it, then reload. Until then, the previous policy stays active."),
            button(_("Reload policies"), actions.reload)));
    if (manager.Failing?.length > 0)
        alerts.push(failing(manager.Failing, actions.check));
    const pending = manager.PendingKernelParameters ?? {};
    if ((pending.set ?? []).length + (pending.remove ?? []).length > 0)
        alerts.push(reboot(pending, JSON.stringify(pending) === written, actions.write));
    if (manager.State === "drift")
        alerts.push(alert("warning", _("Memory differs from the policy"),
            _("The picture marks these blocks. The plan below corrects what it can; blocks online in another zone stay there unless the policy contains:"),
            make("code", {}, "set rezone = allowed")));
    if (manager.LeftAlone?.length > 0)
        alerts.push(alert("info", _("Left unchanged"),
            make("ul", {}, ...manager.LeftAlone.map(text => make("li", {}, text))),
            format(_("To let memonlined correct blocks that other processes changed, add $0 to the policy."), "set rezone = allowed")));
    byId("alerts").replaceChildren(...alerts);
}
