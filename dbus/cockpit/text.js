// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers and names for display, and helpers to make elements of the page.
const cockpit = window.cockpit;

export const _ = cockpit.gettext;
export const format = cockpit.format;

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** 1610612736 → "1.5 GiB": powers of two, as the kernel counts. */
export function bytes(count) {
    let unit = 0;
    while (count >= 1024 && unit < UNITS.length - 1) {
        count /= 1024;
        ++unit;
    }
    return `${Number(count.toFixed(count < 10 ? 2 : 1))} ${UNITS[unit]}`;
}

/** "memory42", "memory42..47"; descending where the highest block is written first. */
export function blockNames([first, last]) {
    return first === last ? `memory${first}` : `memory${first}..${last}`;
}

/** <name class="..." ...>children</name> */
export function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (key.startsWith("on"))
            element.addEventListener(key.slice(2), value);
        else if (value !== undefined && value !== false)
            element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children);
    return element;
}

export function byId(id) {
    return document.getElementById(id);
}

/** Runs `work` once, this long after the last call. */
export function later(milliseconds, work) {
    let timer;
    return () => {
        clearTimeout(timer);
        timer = setTimeout(work, milliseconds);
    };
}

/** Translates the marked texts of index.html into the user's language. */
export function translatePage() {
    document.documentElement.lang = cockpit.language || "en";
    for (const element of document.querySelectorAll("[translate=yes]")) {
        const first = element.firstChild;
        if (first && first.nodeType === Node.TEXT_NODE)
            first.data = _(first.data.trim());
    }
}
