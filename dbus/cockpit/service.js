// SPDX-License-Identifier: LGPL-2.1-or-later
// memonlined on the bus, the only service that this page uses. It is read as the logged-in user.
// Changes are requested with administrative access if Cockpit has it; otherwise polkit asks.
const cockpit = window.cockpit;

const NAME = "org.memonline1";
const PATH = "/org/memonline1";
const MANAGER = "org.memonline1.Manager";
const NODE = "org.memonline1.Node";
const JOB = "org.memonline1.Job";
// Bytes of a plan; the service refuses longer ones.
const LONGEST_MESSAGE = 1 << 16;
const PROPERTIES = "org.freedesktop.DBus.Properties";

/** A variant, a dictionary of variants, or anything else, as plain values. */
export function plain(value) {
    if (Array.isArray(value))
        return value.map(plain);
    if (value !== null && typeof value === "object") {
        if ("t" in value && "v" in value && Object.keys(value).length === 2)
            return plain(value.v);
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
    }
    return value;
}

/** Fires `changed` (a property of manager, node or job differs) and `gone` (with `problem`). */
export class Service extends EventTarget {
    constructor() {
        super();
        this.manager = {};
        this.nodes = new Map(); // path → properties
        this.jobs = new Map();
        this.reader = cockpit.dbus(NAME, { bus: "system" });
        this.reader.addEventListener("close", (event, options) => this.#gone(options));
        this.reader.addEventListener("owner", (event, owner) => {
            this.owner = owner;
            owner ? this.#refresh() : this.#gone({});
        });
        this.reader.subscribe({ interface: PROPERTIES, member: "PropertiesChanged" },
            (path, name, signal, [owner, changed]) => this.#changed(path, owner, changed));
        this.reader.subscribe({ interface: "org.freedesktop.DBus.ObjectManager" },
            // Not after it has ended: a call would make the bus start it again.
            () => this.owner && this.#refresh());
    }

    /** Fetches everything; the call makes the bus start the service if it is not running. */
    start() {
        return this.#refresh();
    }

    async #refresh() {
        this.moved = false;
        try {
            const [manager] = await this.reader.call(PATH, PROPERTIES, "GetAll", [MANAGER]);
            const [objects] = await this.reader.call(PATH, "org.freedesktop.DBus.ObjectManager",
                "GetManagedObjects", []);
            this.nodes.clear();
            this.jobs.clear();
            for (const [path, interfaces] of Object.entries(objects)) {
                if (NODE in interfaces)
                    this.nodes.set(path, plain(interfaces[NODE]));
                if (JOB in interfaces)
                    this.jobs.set(path, plain(interfaces[JOB]));
            }
            this.manager = plain(manager);
            this.there = true;
            this.dispatchEvent(new Event("changed"));
            // The reply may lack changes that arrived meanwhile.
            if (this.moved && this.owner)
                this.#refresh();
        } catch (error) {
            this.#gone(error);
        }
    }

    #changed(path, owner, changed) {
        this.moved = true;
        if (!this.there)
            return;
        if (owner === MANAGER)
            Object.assign(this.manager, plain(changed));
        else if (!this.#update(owner === NODE ? this.nodes : this.jobs, path, changed))
            return;
        this.dispatchEvent(new Event("changed"));
    }

    /** False for an unknown object: the next refresh fetches all of it. */
    #update(objects, path, changed) {
        const known = objects.get(path);
        if (known)
            objects.set(path, { ...known, ...plain(changed) });
        return known !== undefined;
    }

    #gone(options) {
        this.there = false;
        const event = new Event("gone");
        event.problem = options.message || options.problem || "";
        this.dispatchEvent(event);
    }

    async #read(method, ...values) {
        const [result] = await this.reader.call(PATH, MANAGER, method, values);
        return plain(result);
    }

    async #change(steps) {
        // A new connection, so that administrative access turned on meanwhile takes effect.
        const client = cockpit.dbus(NAME, { bus: "system", superuser: "try" });
        const call = async (method, ...values) => {
            const [result] = await client.call(PATH, MANAGER, method, values, { flags: "i" });
            return result;
        };
        try {
            return await steps(call);
        } finally {
            client.close();
        }
    }

    policies() { return this.#read("GetPolicies") }
    blocks() { return this.#read("ListBlocks", {}) }
    explain(what) { return this.#read("Explain", what) }
    verify() { return this.#read("Verify") }

    /** The diagnostics of a policy's text. */
    async check(text) { return JSON.parse(await this.#read("Check", text)).diagnostics }

    /** The plan, with its parsed document as `plan`. `text` undefined: of the active policy. */
    async plan(text) {
        const options = text === undefined ? {} : { policy: cockpit.variant("s", text) };
        const result = await this.#read("Plan", options);
        return { ...result, options, plan: JSON.parse(result.document) };
    }

    /** Returns the path of the job. */
    apply(plan, seconds) {
        const options = seconds ? { "confirm-seconds": cockpit.variant("u", seconds) } : {};
        // The service keeps plans per user, and this may be another user than the reader. A plan that is
        // too long for a message is made again: its digest is the same unless memory has changed.
        const kept = new TextEncoder().encode(plan.document).length <= LONGEST_MESSAGE ? ["SubmitPlan", plan.document] : ["Plan", plan.options];
        return this.#change(async call => (await call(...kept), call("Apply", plan.digest, options)));
    }

    undo() { return this.#change(call => call("Undo")) }
    confirm() { return this.#change(call => call("Confirm")) }
    cancel(job) { return this.#change(call => call("Cancel", job)) }
    writeBootParameters() { return this.#change(call => call("WriteBootParameters")) }
    reload() { return this.#change(call => call("Reload")) }
}
