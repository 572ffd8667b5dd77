// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory drawn to scale: a row for each device of each node, as in `memonline map`, and in each
// row its runs of equal blocks. The pointer and the arrow keys select a block, which the tip explains.
import { _, blockNames, byId, bytes, format, make } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const THINNEST = 1 / 600; // of the longest row: even one block of half a million stays visible

const KINDS = {
    kernel: () => _("a kernel zone"),
    movable: () => "Movable",
    several: () => _("several zones in one block"),
    unknown: () => _("online, zone unknown"),
    offline: () => _("offline"),
};

function kindOf(run) {
    if (run.state !== "online")
        return "offline";
    if (run.zone === undefined)
        return "unknown";
    if (run.zone === "none")
        return "several";
    return run.zone === "Movable" ? "movable" : "kernel";
}

const sizeOf = run => run.blocks[1] - run.blocks[0] + 1;

/** Runs as { node, device, runs } in the order of nodes and addresses. */
export function rowsOf(runs) {
    const rows = new Map();
    for (const run of [...runs].sort((a, b) => a.blocks[0] - b.blocks[0])) {
        const key = `${run.node ?? ""} ${run.device}`;
        if (!rows.has(key))
            rows.set(key, { node: run.node, device: run.device, runs: [] });
        rows.get(key).runs.push(run);
    }
    return [...rows.values()].sort((a, b) =>
        (a.node ?? Infinity) - (b.node ?? Infinity) || a.runs[0].blocks[0] - b.runs[0].blocks[0]);
}

/** The runs after these steps of a plan; a run that a step changes has `step`. */
export function after(runs, steps) {
    let now = runs;
    for (const step of steps) {
        // Memory that is configured or bound has no blocks in the picture before.
        if (!step.blocks || ["configure", "deconfigure", "bind", "unbind", "eject"].includes(step.action))
            continue;
        const first = Math.min(...step.blocks);
        const last = Math.max(...step.blocks);
        const state = step.action === "online" ? "online" : "offline";
        now = now.flatMap(run => {
            const [begin, end] = run.blocks;
            if (end < first || begin > last)
                return [run];
            const middle = [Math.max(begin, first), Math.min(end, last)];
            const parts = [{ ...run, blocks: middle, state, drift: false, step: step.number,
                             zone: state === "online" ? step.zone : undefined }];
            if (begin < first)
                parts.unshift({ ...run, blocks: [begin, first - 1] });
            if (end > last)
                parts.push({ ...run, blocks: [last + 1, end] });
            return parts;
        });
    }
    return now;
}

function describe(run, blockSize) {
    const words = [blockNames(run.blocks), bytes(sizeOf(run) * blockSize),
        run.state === "online" ? run.zone ?? _("online") : _(run.state)];
    if (run.node !== undefined)
        words.push(format(_("node $0"), run.node));
    words.push(run.device);
    if (run.drift)
        words.push(_("differs from the policy"));
    if (run.step !== undefined)
        words.push(format(_("step $0"), run.step));
    return words.join(", ");
}

/** The page's only tip; `explain` returns a promise of the text for a block's name. */
export class Tip {
    #element = byId("tip");
    #shown;

    constructor(explain) {
        this.explain = explain;
        document.addEventListener("keydown", event => event.key === "Escape" && this.hide());
    }

    async show(block, line, x, y) {
        const details = document.createElement("pre");
        this.#element.replaceChildren(make("strong", {}, line), details);
        this.#element.hidden = false;
        const room = document.documentElement.clientWidth - this.#element.offsetWidth - 8;
        this.#element.style.left = `${Math.max(8, Math.min(x, room)) + window.scrollX}px`;
        this.#element.style.top = `${y + 14 + window.scrollY}px`;
        this.#shown = block;
        // No request for blocks that the pointer only crosses.
        await new Promise(resolve => setTimeout(resolve, 80));
        if (this.#shown !== block)
            return;
        const text = await this.explain(`memory${block}`).catch(error => error.message);
        if (this.#shown === block)
            details.textContent = text;
    }

    hide() {
        this.#shown = undefined;
        this.#element.hidden = true;
    }
}

// Browsers send pointer events even if only the page below the pointer has moved.
let pointer = [];
function rests({ clientX, clientY }) {
    const same = pointer[0] === clientX && pointer[1] === clientY;
    pointer = [clientX, clientY];
    return same;
}

function drawRun(run, offset, length, tip, blockSize) {
    const rect = document.createElementNS(SVG, "rect");
    const size = sizeOf(run);
    const text = describe(run, blockSize);
    const drawn = Math.max(size, length * THINNEST);
    const attributes = {
        x: Math.min(offset, length - drawn), width: drawn, y: 0, height: 1,
        class: `${kindOf(run)}${run.drift ? " drift" : ""}${run.step === undefined ? "" : " changed"}`,
        role: "img", tabindex: -1, "aria-label": text, "data-blocks": run.blocks.join("-"),
    };
    for (const [name, value] of Object.entries(attributes))
        rect.setAttribute(name, value);
    rect.addEventListener("pointermove", event => {
        if (rests(event))
            return;
        const box = rect.getBoundingClientRect();
        const within = Math.floor((event.clientX - box.left) / box.width * size);
        tip.show(run.blocks[0] + Math.max(0, Math.min(within, size - 1)), text, event.clientX, event.clientY);
    });
    rect.addEventListener("pointerleave", () => tip.hide());
    rect.addEventListener("focus", () => {
        const box = rect.getBoundingClientRect();
        tip.show(run.blocks[0], text, box.left, box.bottom);
    });
    rect.addEventListener("blur", () => tip.hide());
    return rect;
}

function walkWithKeys(element) {
    const rects = () => [...element.querySelectorAll("rect")];
    const first = rects()[0];
    if (first)
        first.setAttribute("tabindex", 0);
    element.onkeydown = event => {
        const all = rects();
        const at = all.indexOf(document.activeElement);
        const next = {
            ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1,
        }[event.key];
        if (at < 0 || next === undefined || !all[next])
            return;
        event.preventDefault();
        all[at].setAttribute("tabindex", -1);
        all[next].setAttribute("tabindex", 0);
        all[next].focus();
    };
}

/** Draws runs into an element. */
export function draw(element, runs, blockSize, tip) {
    const rows = rowsOf(runs);
    const lengths = rows.map(row => row.runs.reduce((sum, run) => sum + sizeOf(run), 0));
    const longest = Math.max(1, ...lengths);
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", _("Memory drawn to scale; arrow keys move between block ranges"));
    element.replaceChildren(...rows.map((row, index) => {
        const length = lengths[index];
        const svg = document.createElementNS(SVG, "svg");
        svg.setAttribute("viewBox", `0 0 ${length} 1`);
        svg.setAttribute("preserveAspectRatio", "none");
        svg.style.width = `${Math.max(0.5, length / longest * 100)}%`;
        let offset = 0;
        for (const run of row.runs) {
            svg.append(drawRun(run, offset, length, tip, blockSize));
            offset += sizeOf(run);
        }
        const node = row.node === undefined ? _("no node") : format(_("node $0"), row.node);
        return make("div", { class: "row" },
            make("span", { class: "what" }, `${node} ${row.device}`),
            make("span", { class: "size" }, bytes(length * blockSize)),
            make("div", { class: "bar" }, svg));
    }));
    walkWithKeys(element);
}

/** The meaning of each color, and its total size. */
export function drawLegend(element, runs, blockSize) {
    const sums = {};
    let drift = 0;
    for (const run of runs) {
        sums[kindOf(run)] = (sums[kindOf(run)] ?? 0) + sizeOf(run);
        drift += run.drift ? sizeOf(run) : 0;
    }
    const entry = (kind, text, blocks) => make("span", {}, make("i", { class: kind }),
        `${text} ${bytes(blocks * blockSize)}`);
    const entries = Object.keys(KINDS).filter(kind => sums[kind])
        .map(kind => entry(kind, KINDS[kind](), sums[kind]));
    if (drift > 0)
        entries.push(entry("drift", _("differs from the policy"), drift));
    element.replaceChildren(...entries);
}
