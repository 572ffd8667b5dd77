// SPDX-License-Identifier: LGPL-2.1-or-later
// Light or dark like the Cockpit shell around this page: the user's choice there, or the browser's setting.
const KEY = "shell:style";

export function followTheme() {
    const browser = window.matchMedia("(prefers-color-scheme: dark)");
    const show = requested => {
        const style = requested || localStorage.getItem(KEY) || "auto";
        const dark = style === "dark" || (style === "auto" && browser.matches);
        document.documentElement.classList.toggle("pf-v6-theme-dark", dark);
    };
    window.addEventListener("storage", event => event.key === KEY && show());
    window.addEventListener("cockpit-style", event => show(event.detail?.style));
    browser.addEventListener("change", () => show());
    show();
}
