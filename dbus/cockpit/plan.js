// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan: a table of its steps, and pictures of memory before and after.
import { _, blockNames, byId, format, make } from "./text.js";
import { after, draw } from "./picture.js";

const MOST_ROWS = 1000;

function actionOf(step) {
    switch (step.action) {
    case "set":
        return `${step.knob} = ${step.value}`;
    case "probe":
        return `probe ${step.address}`;
    case "configure":
    case "deconfigure":
    case "bind":
    case "unbind":
    case "eject":
        return `${step.action} ${blockNames(step.blocks)}`;
    case "reclaim":
        return `reclaim ${step.what}`;
    case "boot-parameters":
        return [...step.set, ...step.remove.map(word => `-${word}`)].join(" ");
    default:
        return `${step.state} ${blockNames(step.blocks)}`;
    }
}

function newStateOf(step) {
    if (step.action === "online")
        return step.zone;
    return step.action === "offline" ? _("offline") : "";
}

/** `goTo(line, column)` moves the cursor to a rule of the editor's text. */
export function showPlan({ plan }, runs, blockSize, tip, goTo) {
    const blocks = plan.steps.filter(step => step.blocks);
    byId("plan-summary").textContent = plan.steps.length === 0
        ? _("Nothing to do.")
        : format(cockpit.ngettext("$0 step", "$0 steps", plan.steps.length), plan.steps.length);
    byId("pictures").hidden = blocks.length === 0;
    if (blocks.length > 0) {
        // Drift from the active policy does not concern this plan.
        const before = runs.map(run => ({ ...run, drift: false }));
        draw(byId("before"), before, blockSize, tip);
        draw(byId("after"), after(before, blocks), blockSize, tip);
    }
    const rows = plan.steps.slice(0, MOST_ROWS).map(step => {
        const { rule } = step;
        const place = rule ? `${rule.path}:${rule.line}:${rule.column}` : "";
        const typed = rule?.path === "<bus>";
        return make("tr", {},
            make("td", {}, String(step.number)),
            make("td", { class: "code" }, actionOf(step)),
            make("td", {}, step.node === undefined ? "" : String(step.node)),
            make("td", {}, newStateOf(step)),
            make("td", { class: "code", title: place }, !rule ? "" : typed
                ? make("button", { type: "button", class: "link", onclick: () => goTo(rule.line, rule.column) },
                    rule.text)
                : `${rule.text} (${place})`),
            make("td", {}, step.why));
    });
    if (plan.steps.length > MOST_ROWS)
        rows.push(make("tr", {}, make("td", { colspan: 6 },
            format(_("and $0 more"), plan.steps.length - MOST_ROWS))));
    byId("steps").hidden = rows.length === 0;
    byId("steps").tBodies[0].replaceChildren(...rows);
    byId("apply-form").hidden = rows.length === 0;
}

/** Shows the reason instead of a plan. */
export function showNoPlan(text) {
    byId("plan-summary").textContent = text;
    for (const id of ["pictures", "steps", "apply-form"])
        byId(id).hidden = true;
}
