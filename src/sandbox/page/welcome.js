// SPDX-License-Identifier: MIT
// page/welcome: what an empty mailbox says: where mail may go, and what to type.

import { element, visible } from "/dom.js";

const holder = document.getElementById("welcome");

function command(words) {
    const copy = element("button", { type: "button" }, "Copy");
    copy.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(words);
            copy.textContent = "Copied";
        } catch {
            copy.textContent = "Select and copy";
        }
        setTimeout(() => { copy.textContent = "Copy"; }, 2000);
    });
    return element("li", {}, element("pre", { tabindex: "0" }, element("code", {}, visible(words))), copy);
}

function exchanger(host) {
    const down = host.listens === false;
    return element("li", { class: down ? "down" : null },
        element("span", { class: "name" }, visible(String(host.name))),
        element("code", {}, visible(`${host.address}:${host.port}`)),
        element("span", { class: "listens" }, down ? "down" : "listening"));
}

function section(title, ...content) {
    return element("section", {}, element("h3", {}, title), ...content);
}

/** Fills the page's empty state from what GET /api/sandbox says; absent facts are left out. */
export function fill(about) {
    const shown = [
        element("img", { src: "/icon.svg", alt: "", width: "72", height: "72" }),
        element("h2", { id: "welcome-title" }, "No mail yet"),
        element("p", {},
            "What is sent to this sandbox\u2019s exchangers appears here at once. ",
            "Nothing leaves this machine."),
    ];
    if (Array.isArray(about.try) && about.try.length > 0)
        shown.push(section("Type this", element("ol", {}, ...about.try.map(String).map(command))));
    if (Array.isArray(about.exchangers) && about.exchangers.length > 0)
        shown.push(section("Exchangers",
            element("ul", { class: "exchangers" }, ...about.exchangers.map(exchanger))));
    if (about.dns)
        shown.push(section("DNS", element("p", {}, element("code", {}, visible(String(about.dns))))));
    holder.replaceChildren(...shown);
}
