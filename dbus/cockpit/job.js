// SPDX-License-Identifier: LGPL-2.1-or-later
// The current job: its progress, the time left to confirm it, and its result.
import { _, byId, format, make } from "./text.js";
import { remediesOf } from "./remedies.js";

const TITLES = {
    settle: () => _("Applying the policy"),
    apply: () => _("Applying the plan"),
    undo: () => _("Undoing the last change"),
};

const RESULTS = {
    done: () => _("Done"),
    partial: () => _("Partial success"),
    failed: () => _("Failed"),
    cancelled: () => _("Cancelled"),
    undone: () => _("Undone: not confirmed in time"),
};

export class JobCard {
    #path;
    #seconds; // time limit for confirming, of a job started on this page
    #ends;

    constructor(service) {
        this.service = service;
        setInterval(() => this.#count(), 250);
    }

    /** Shows this job from now on. */
    follow(path, seconds) {
        this.#path = path;
        this.#seconds = seconds;
        this.#ends = undefined;
        this.show();
        byId("job-card").scrollIntoView({ block: "nearest" });
    }

    get path() { return this.#path }

    show() {
        const active = this.service.manager.ActiveJob;
        if (active && active !== "/" && active !== this.#path && this.#done())
            return this.follow(active);
        const job = this.service.jobs.get(this.#path);
        byId("job-card").hidden = !job;
        if (!job)
            return;
        const done = job.State === "done";
        const confirming = job.State === "confirming";
        if (confirming && this.#seconds && this.#ends === undefined)
            this.#ends = Date.now() + this.#seconds * 1000;
        byId("job-title").textContent = done ? RESULTS[job.Result]() : (TITLES[job.Kind] ?? TITLES.apply)();
        byId("job-progress").value = job.Progress;
        byId("job-progress").hidden = done;
        if (!confirming)
            byId("job-step").textContent = done || job.State === "waiting" ? job.Error
                : format(_("$0 of $1 blocks $2"), job.BlocksDone, job.Blocks, job.CurrentStep);
        byId("keep").hidden = !confirming;
        byId("cancel").hidden = done;
        byId("cancel").textContent = confirming ? _("Undo now") : _("Cancel");
        const report = [job.Report?.text, job.Undone?.text].filter(text => text).join("\n");
        byId("job-report").textContent = report;
        byId("job-report").hidden = !done || !report;
        this.#advise(done ? remediesOf(job) : []);
        this.#count();
    }

    // Unchanged remedies stay in place, so that screen readers read them once.
    #advise(remedies) {
        const element = byId("job-remedies");
        element.hidden = remedies.length === 0;
        if ([...element.children].map(each => each.textContent).join() !== remedies.join())
            element.replaceChildren(...remedies.map(text => make("p", {}, text)));
    }

    #done() {
        const job = this.service.jobs.get(this.#path);
        return !job || job.State === "done";
    }

    #count() {
        if (this.service.jobs.get(this.#path)?.State !== "confirming")
            return;
        const left = Math.max(0, Math.ceil((this.#ends - Date.now()) / 1000));
        byId("job-step").textContent = this.#ends === undefined
            ? _("The changes will be undone unless they are confirmed in time.")
            : format(_("The changes will be undone in $0 seconds unless you keep them."), left);
    }
}
