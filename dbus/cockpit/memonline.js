// SPDX-License-Identifier: LGPL-2.1-or-later
// The page: fetches the service's data, and passes it to the parts that show it.
import { _, byId, bytes, format, later, make, translatePage } from "./text.js";
import { followTheme } from "./theme.js";
import { Service } from "./service.js";
import { Tip, draw, drawLegend } from "./picture.js";
import { Editor } from "./editor.js";
import { showPlan, showNoPlan } from "./plan.js";
import { joined, waysToKeep } from "./policies.js";
import { JobCard } from "./job.js";
import { showAlerts } from "./alerts.js";
import { remedyOf } from "./remedies.js";

const STATES = {
    "in-sync": () => _("Matches the policy"),
    "no-policy": () => _("No policy"),
    drift: () => _("Differs from the policy"),
    applying: () => _("Applying changes"),
    failed: () => _("Failed"),
    "reboot-required": () => _("Reboot needed"),
};

const service = new Service();
const tip = new Tip(what => service.explain(what));
const editor = new Editor(text => service.check(text));
const job = new JobCard(service);
let runs = [];
let policies = [];    // the active ones
let activeText = "";  // their text
let shown;            // the plan for the text `shownOf`, as received from the service
let shownOf;
let planned = 0;      // counts requests for plans: replies to older ones are dropped
let errors = [];
let written = "";     // the kernel parameters written to the boot loader from this page
let drawn = {};       // the data drawn last, by part: equal data is not drawn again

function once(part, value, work) {
    const key = JSON.stringify(value);
    if (drawn[part] === key)
        return;
    drawn[part] = key;
    work();
}

// --- output --------------------------------------------------------------------------------------

function figures(sums) {
    return Object.entries(sums ?? {}).filter(([, count]) => count > 0)
        .map(([zone, count]) => `${zone} ${bytes(count)}`).join(", ") || "–";
}

function showNodes() {
    const nodes = [...service.nodes.values()].sort((a, b) => a.Number - b.Number);
    byId("nodes").tBodies[0].replaceChildren(...nodes.map(node => make("tr", {},
        make("th", { scope: "row" }, String(node.Number)),
        make("td", {}, bytes(node.Online)),
        make("td", {}, bytes(node.Offline)),
        make("td", {}, figures(node.Zones)),
        make("td", {}, figures(node.Wished)))));
}

function showHotplug({ HotplugBy, HotplugWhy }) {
    const by = {
        kernel: _("The kernel handles hot-added memory: $0."),
        service: _("memonlined handles hot-added memory: $0."),
    }[HotplugBy];
    byId("hotplug").textContent = by ? format(by, HotplugWhy) : "";
}

function show() {
    const { manager } = service;
    for (const id of ["machine-card", "policy-card", "plan-card"])
        byId(id).hidden = false;
    byId("verify").disabled = byId("undo").disabled = false;
    const state = manager.PolicyFiles?.length || manager.Problems ? manager.State : "no-policy";
    byId("state").textContent = (STATES[state] ?? STATES.failed)();
    byId("state").dataset.state = state;
    once("alerts", [manager.Problems, manager.Failing, manager.PendingKernelParameters, manager.State,
        manager.LeftAlone, errors, written], () => showAlerts(manager, errors, written, actions));
    once("nodes", [...service.nodes], showNodes);
    showHotplug(manager);
    job.show();
    once("machine", [manager.State, manager.PolicyFiles, [...service.nodes], isBusy()], refresh);
    allowApply();
}

function isBusy() {
    return Boolean(service.manager.ActiveJob) && service.manager.ActiveJob !== "/";
}

/** Only a visible plan can be applied. */
function allowApply() {
    byId("apply").disabled = !shown || isBusy();
}

function take(plan, text) {
    shown = plan;
    shownOf = text;
    allowApply();
}

/** Shows an error with its remedy. */
function failed(title, error) {
    if (error.problem && !error.name)
        error = { message: cockpit.message(error) };
    const known = { title, message: error.message, remedy: remedyOf(error.name) };
    known.dismiss = () => {
        errors = errors.filter(each => each !== known);
        show();
    };
    errors.push(known);
    show();
}

function gone(problem) {
    drawn = {};
    for (const id of ["machine-card", "policy-card", "plan-card", "job-card"])
        byId(id).hidden = true;
    byId("verify").disabled = byId("undo").disabled = true;
    byId("state").textContent = _("Not running");
    byId("state").dataset.state = "failed";
    byId("alerts").replaceChildren(make("div", { class: "alert danger", role: "alert" },
        make("h2", {}, _("memonlined does not respond")),
        make("p", {}, problem),
        make("p", {}, _("Start it with: systemctl enable --now memonlined")),
        make("button", { type: "button", class: "secondary", onclick: () => service.start() }, _("Try again"))));
}

// --- requests ------------------------------------------------------------------------------------

function isActive(text) {
    return text === activeText;
}

const refresh = later(50, async () => {
    try {
        policies = await service.policies();
        runs = await service.blocks();
        once("blocks", runs, () => {
            draw(byId("now"), runs, service.manager.BlockSize, tip);
            drawLegend(byId("legend"), runs, service.manager.BlockSize);
        });
        const files = policies.map(({ path }) => path).join(", ");
        byId("policy-files").textContent = files ? format(_("Active: $0"), files)
            : _("No active policy: memonlined changes nothing. Enter a policy here to see its plan.");
        const text = joined(policies);
        const untouched = isActive(editor.value);
        activeText = text;
        if (untouched)
            editor.value = text;
        else
            plan();
    } catch (error) {
        if (service.there)
            failed(_("Could not refresh the page"), error);
    }
});

function showHowToSave(own) {
    const { file, commands } = waysToKeep(policies);
    byId("unsaved").hidden = !own;
    byId("unsaved").replaceChildren(
        format(_("This policy is not saved. To activate it, save it as $0 and reload the policies."), file));
    if (commands.length > 0)
        byId("unsaved").append(" ", _("To disable the active policies, run:"),
            make("pre", {}, commands.join("\n")));
}

async function plan() {
    const text = editor.value;
    const own = !isActive(text);
    byId("revert").hidden = !own;
    showHowToSave(own);
    const turn = ++planned;
    // A plan for the same text stays until the new one arrives; the service refuses it if it is stale.
    if (text !== shownOf)
        take(undefined, text);
    if (!own && !text)
        return showNoPlan(_("Without a policy there is nothing to plan."));
    try {
        const result = await service.plan(own ? text : undefined);
        if (turn !== planned)
            return;
        take(result, text);
        showPlan(result, runs, service.manager.BlockSize, tip, (line, column) => editor.goTo(line, column));
    } catch (error) {
        if (turn !== planned)
            return;
        take(undefined, text);
        showNoPlan(error.message);
    }
}

editor.addEventListener("checked", ({ diagnostics }) => {
    if (diagnostics.some(({ severity }) => severity === "error")) {
        ++planned;
        take(undefined, editor.value);
        showHowToSave(false);
        byId("revert").hidden = isActive(editor.value);
        showNoPlan(_("The policy has errors. Correct them to see its plan."));
    } else {
        plan();
    }
});

const actions = {
    check: () => service.verify().then(refresh, error => failed(_("Could not check memory"), error)),
    reload: () => service.reload().catch(error => failed(_("Could not reload the policies"), error)),
    write: async () => {
        const pending = JSON.stringify(service.manager.PendingKernelParameters);
        try {
            await service.writeBootParameters();
            written = pending;
            show();
        } catch (error) {
            failed(_("Could not set the kernel parameters"), error);
        }
    },
};

async function begin(title, start, seconds) {
    try {
        job.follow(await start(), seconds);
    } catch (error) {
        failed(title, error);
        plan();
    }
}

byId("verify").addEventListener("click", actions.check);
byId("reload").addEventListener("click", actions.reload);
byId("revert").addEventListener("click", () => {
    editor.value = activeText;
});
byId("apply-form").addEventListener("submit", event => {
    event.preventDefault();
    const seconds = byId("confirm-wanted").checked ? byId("confirm-seconds").valueAsNumber : 0;
    if (shown)
        begin(_("Could not apply the plan"), () => service.apply(shown, seconds), seconds);
});
byId("confirm-wanted").addEventListener("change", event => {
    byId("confirm-seconds").disabled = !event.target.checked;
});
byId("undo").addEventListener("click", () => byId("undo-dialog").showModal());
byId("undo-dialog").addEventListener("close", event => {
    if (event.target.returnValue === "undo")
        begin(_("Could not undo the last change"), () => service.undo());
    event.target.returnValue = "";
});
byId("keep").addEventListener("click", () =>
    service.confirm().catch(error => failed(_("Could not keep the changes"), error)));
byId("cancel").addEventListener("click", () =>
    service.cancel(job.path).catch(error => failed(_("Could not cancel"), error)));

translatePage();
followTheme();
service.addEventListener("changed", show);
service.addEventListener("gone", ({ problem }) => gone(problem));
service.start();
