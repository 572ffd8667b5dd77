// SPDX-License-Identifier: LGPL-2.1-or-later
// What needs somebody's eye, each with what can be done about it.
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

function failing(rows, look) {
    return alert("danger", _("Blocks that would not go where the policy wants them"),
        make("ul", {}, ...rows.map(([first, last, , text]) =>
            make("li", {}, make("b", {}, blockNames([first, last])), `: ${text}`))),
        ...new Set(rows.map(([, , errno]) => remedyOfNumber(errno)).filter(remedy => remedy)),
        _("They are tried again for as long as they exist. What holds them is in the log: journalctl -u memonlined"),
        button(_("Look again"), look));
}

function reboot({ set = [], remove = [] }, written, write) {
    const words = [...set.map(word => make("li", {}, make("code", {}, word))),
        ...remove.map(word => make("li", {}, make("del", {}, make("code", {}, word))))];
    if (written)
        return alert("info", _("The boot loader has the kernel parameters"), make("ul", {}, ...words),
            _("Reboot this machine for them to take effect."));
    return alert("warning", _("A reboot is needed"),
        _("The policy needs kernel parameters that this kernel was not started with:"), make("ul", {}, ...words),
        button(_("Hand them to the boot loader"), write));
}

/** `written`: the kernel parameters that the boot loader has taken, as JSON. `actions`: look, reload, write. */
export function showAlerts(manager, errors, written, actions) {
    const alerts = errors.map(({ title, message, remedy, dismiss }) =>
        alert("danger", title, message, ...(remedy ? [remedy] : []), button(_("Dismiss"), dismiss)));
    if (manager.Problems)
        alerts.push(alert("danger", _("The policies on disk are not in force"),
            make("pre", { tabindex: 0, role: "group", "aria-label": _("The policies on disk are not in force") }, manager.Problems),
            _("Correct the file, then have it read anew. Until then the policy before it stays in force."),
            button(_("Read the policies anew"), actions.reload)));
    if (manager.Failing?.length > 0)
        alerts.push(failing(manager.Failing, actions.look));
    const pending = manager.PendingKernelParameters ?? {};
    if ((pending.set ?? []).length + (pending.remove ?? []).length > 0)
        alerts.push(reboot(pending, JSON.stringify(pending) === written, actions.write));
    if (manager.State === "drift")
        alerts.push(alert("warning", _("Memory is not as the policy says"),
            _("The blocks are marked in the picture. What can be put right is in the plan below; blocks that are online in another zone stay there unless the policy says otherwise."),
            make("code", {}, "set rezone = allowed")));
    if (manager.LeftAlone?.length > 0)
        alerts.push(alert("info", _("Changed by others, and left alone"),
            make("ul", {}, ...manager.LeftAlone.map(text => make("li", {}, text))),
            format(_("The policy does not allow to correct it; $0 in it would."), "set rezone = allowed")));
    byId("alerts").replaceChildren(...alerts);
}
