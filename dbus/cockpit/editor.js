// SPDX-License-Identifier: LGPL-2.1-or-later
// The policy's text, checked as the user types: a mistake is underlined, with its message below
// the line. The list below the text repeats the messages, with a button for each suggested fix.
import { _, byId, later, make } from "./text.js";

const PAUSE = 200; // milliseconds without a key

/** Bytes of UTF-8 to characters: the service counts the former, the browser the latter. */
function characterAt(text, byte) {
    return new TextDecoder().decode(new TextEncoder().encode(text).slice(0, byte)).length;
}

/** Fires `checked` with `diagnostics`. */
export class Editor extends EventTarget {
    #text = byId("policy-text");
    #list = byId("diagnostics");
    #layer = make("div", { class: "marks", "aria-hidden": "true" });
    #turn = 0;

    constructor(check) {
        super();
        this.check = check;
        byId("editor").prepend(this.#layer);
        const soon = later(PAUSE, () => this.#refresh());
        this.#text.addEventListener("input", () => {
            this.#fit();
            this.#mark([]);
            soon();
        });
        this.#text.addEventListener("scroll", () => {
            this.#layer.scrollLeft = this.#text.scrollLeft;
        });
    }

    get value() { return this.#text.value }

    set value(text) {
        this.#text.value = text;
        this.#fit();
        this.#refresh();
    }

    /** Moves the cursor to a rule. */
    goTo(line, column) {
        const before = this.value.split("\n").slice(0, line - 1);
        const at = before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
        this.#text.focus();
        this.#text.setSelectionRange(at, at);
    }

    #fit() {
        this.#text.rows = Math.max(4, this.value.split("\n").length + 1);
    }

    async #refresh() {
        const turn = ++this.#turn;
        const text = this.value;
        let diagnostics;
        try {
            diagnostics = await this.check(text);
        } catch (error) {
            diagnostics = [{ severity: "error", code: "", message: error.message }];
        }
        if (turn !== this.#turn || text !== this.value)
            return; // the text has changed since
        this.#mark(diagnostics);
        this.#report(diagnostics);
        const event = new Event("checked");
        event.diagnostics = diagnostics;
        this.dispatchEvent(event);
    }

    // A transparent copy of the text, behind the text area: it carries the marks.
    #mark(diagnostics) {
        const text = this.value;
        const marks = diagnostics.filter(({ begin }) => begin !== undefined).map(diagnostic => {
            const begin = characterAt(text, diagnostic.begin);
            return { ...diagnostic, from: begin, to: Math.max(begin + 1, characterAt(text, diagnostic.end)) };
        });
        const lines = [];
        let start = 0;
        for (const line of text.split("\n")) {
            lines.push(this.#markedLine(line, start, marks));
            start += line.length + 1;
        }
        this.#layer.replaceChildren(...lines);
    }

    #markedLine(line, start, marks) {
        const here = marks.filter(({ from }) => from >= start && from <= start + line.length)
            .sort((a, b) => a.from - b.from);
        const element = make("div", { class: "line" });
        let at = 0;
        for (const { from, to, severity } of here) {
            if (from - start < at)
                continue;
            element.append(line.slice(at, from - start));
            at = Math.min(line.length, to - start);
            element.append(make("span", { class: `wrong ${severity}` }, line.slice(from - start, at) || " "));
        }
        element.append(line.slice(at) || "\u200b");
        if (here.length > 0) {
            const message = make("span", { class: `message ${here[0].severity}` },
                make("small", {}, here[0].message));
            message.style.insetInlineStart = `${here[0].from - start}ch`;
            element.append(message);
        }
        return element;
    }

    #report(diagnostics) {
        this.#list.replaceChildren(...diagnostics.map(diagnostic => {
            const { code, message, line, column, help, fixit, severity } = diagnostic;
            const item = make("li", { class: severity }, make("strong", {}, [
                line === undefined ? "" : `${line}:${column} `, severity === "error" ? _("Error") : _("Warning"),
                code ? ` ${code}` : ""].join("")), `: ${message}`);
            if (help)
                item.append(` ${help}`);
            if (fixit)
                item.append(" ", make("button", { type: "button", class: "link", onclick: () => this.#fix(fixit) },
                    _("Apply fix")));
            return item;
        }));
    }

    #fix({ begin, end, replacement }) {
        const text = this.value;
        this.value = text.slice(0, characterAt(text, begin)) + replacement + text.slice(characterAt(text, end));
        this.#text.focus();
    }
}
