// SPDX-License-Identifier: LGPL-2.1-or-later
// Light or dark as the shell around this page is: its own choice, or the browser's.
const KEY = "shell:style";

export function followTheme() {
    const browser = window.matchMedia("(prefers-color-scheme: dark)");
    const show = wish => {
        const style = wish || localStorage.getItem(KEY) || "auto";
        const dark = style === "dark" || (style === "auto" && browser.matches);
        document.documentElement.classList.toggle("pf-v6-theme-dark", dark);
    };
    window.addEventListener("storage", event => event.key === KEY && show());
    window.addEventListener("cockpit-style", event => show(event.detail?.style));
    browser.addEventListener("change", () => show());
    show();
}
