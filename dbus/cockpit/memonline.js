// SPDX-License-Identifier: LGPL-2.1-or-later
// The page: fetches what the service knows, and has each part show its share of it.
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
    "in-sync": () => _("As the policy says"),
    "no-policy": () => _("No policy"),
    drift: () => _("Not as the policy says"),
    applying: () => _("Changing"),
    failed: () => _("Failed"),
    "reboot-required": () => _("Reboot needed"),
};

const service = new Service();
const tip = new Tip(what => service.explain(what));
const editor = new Editor(text => service.check(text));
const job = new JobCard(service);
let runs = [];
let policies = [];  // in force
let inForce = "";   // their text
let shown;          // the plan, as the service gave it, of `shownOf`
let shownOf;
let planned = 0;    // counts plans asked for: an older answer is dropped
let errors = [];
let written = "";   // the kernel parameters that the boot loader has taken from here
let drawn = {};     // what was drawn last, by part: equal is not drawn again

function once(part, value, work) {
    const key = JSON.stringify(value);
    if (drawn[part] === key)
        return;
    drawn[part] = key;
    work();
}

// --- what is shown -------------------------------------------------------------------------------

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
        kernel: _("Memory that comes later is brought online by the kernel: $0."),
        service: _("Memory that comes later is brought online by memonlined: $0."),
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

/** Only what is to be seen can be applied. */
function allowApply() {
    byId("apply").disabled = !shown || isBusy();
}

function take(plan, text) {
    shown = plan;
    shownOf = text;
    allowApply();
}

/** Tells an error, with what can be done about it. */
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
        make("h2", {}, _("memonlined does not answer")),
        make("p", {}, problem),
        make("p", {}, _("Start it with: systemctl enable --now memonlined")),
        make("button", { type: "button", class: "secondary", onclick: () => service.start() }, _("Try again"))));
}

// --- what is asked for ---------------------------------------------------------------------------

function isInForce(text) {
    return text === inForce;
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
        byId("policy-files").textContent = files ? format(_("In force: $0"), files)
            : _("No policy is in force: memory comes online as the kernel does it. Try one here.");
        const text = joined(policies);
        const untouched = isInForce(editor.value);
        inForce = text;
        if (untouched)
            editor.value = text;
        else
            plan();
    } catch (error) {
        if (service.there)
            failed(_("The machine cannot be shown"), error);
    }
});

function tellHowToKeep(own) {
    const { file, commands } = waysToKeep(policies);
    byId("unsaved").hidden = !own;
    byId("unsaved").replaceChildren(
        format(_("Tried here only. To keep it, put this text into $0 and have the policies read anew."), file));
    if (commands.length > 0)
        byId("unsaved").append(" ", _("Those that are in force now are taken out by:"),
            make("pre", {}, commands.join("\n")));
}

async function plan() {
    const text = editor.value;
    const own = !isInForce(text);
    byId("revert").hidden = !own;
    tellHowToKeep(own);
    const turn = ++planned;
    // The same policy's plan stays until the new one is there: should it be stale, that is told.
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
        tellHowToKeep(false);
        byId("revert").hidden = isInForce(editor.value);
        showNoPlan(_("The policy has errors; there is no plan for it."));
    } else {
        plan();
    }
});

const actions = {
    look: () => service.verify().then(refresh, error => failed(_("The machine cannot be looked at"), error)),
    reload: () => service.reload().catch(error => failed(_("The policies cannot be read anew"), error)),
    write: async () => {
        const pending = JSON.stringify(service.manager.PendingKernelParameters);
        try {
            await service.writeBootParameters();
            written = pending;
            show();
        } catch (error) {
            failed(_("The boot loader did not take the kernel parameters"), error);
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

byId("verify").addEventListener("click", actions.look);
byId("reload").addEventListener("click", actions.reload);
byId("revert").addEventListener("click", () => {
    editor.value = inForce;
});
byId("apply-form").addEventListener("submit", event => {
    event.preventDefault();
    const seconds = byId("confirm-wanted").checked ? byId("confirm-seconds").valueAsNumber : 0;
    if (shown)
        begin(_("The plan is not carried out"), () => service.apply(shown, seconds), seconds);
});
byId("confirm-wanted").addEventListener("change", event => {
    byId("confirm-seconds").disabled = !event.target.checked;
});
byId("undo").addEventListener("click", () => byId("undo-dialog").showModal());
byId("undo-dialog").addEventListener("close", event => {
    if (event.target.returnValue === "undo")
        begin(_("The last run is not undone"), () => service.undo());
    event.target.returnValue = "";
});
byId("keep").addEventListener("click", () =>
    service.confirm().catch(error => failed(_("It is not kept"), error)));
byId("cancel").addEventListener("click", () =>
    service.cancel(job.path).catch(error => failed(_("It is not cancelled"), error)));

translatePage();
followTheme();
service.addEventListener("changed", show);
service.addEventListener("gone", ({ problem }) => gone(problem));
service.start();
