// SPDX-License-Identifier: MIT
// page/list: the messages at the left, newest first, one link each.
//
// A message never changes, so its row is made once and kept: what has the focus keeps it while
// mail comes in.

import { element, isolated, time, visible } from "/dom.js";

const holder = document.getElementById("messages");
const rows = new Map(); // id -> li
let filled = false; // once it is, what comes is new

function row(message) {
    const more = message.recipients - message.forward_paths.length;
    const to = message.forward_paths.map(visible).join(", ") + (more > 0 ? ` and ${more} more` : "");
    return element("li", { "data-id": message.id, class: filled ? "fresh" : null },
        element("a", { href: `#${message.id}` },
            element("span", { class: "from" }, isolated(message.from || "<>")),
            time(message.received),
            element("span", { class: message.subject ? "subject" : "subject none" },
                message.subject ? isolated(message.subject) : "no subject"),
            element("span", { class: "to" }, element("bdi", {}, `to ${to}`)),
            element("span", { class: "exchanger" }, isolated(message.exchanger))));
}

/** Shows these messages in this order. */
export function show(messages) {
    const wanted = new Set(messages.map((message) => message.id));
    for (const [id, known] of rows) {
        if (wanted.has(id)) continue;
        known.remove();
        rows.delete(id);
    }
    let next = holder.firstElementChild;
    for (const message of messages) {
        if (!rows.has(message.id)) rows.set(message.id, row(message));
        const wantedRow = rows.get(message.id);
        if (wantedRow === next) next = next.nextElementSibling;
        else holder.insertBefore(wantedRow, next);
    }
    filled = true;
}

/** Marks one message as the chosen one; null for none. */
export function mark(id) {
    for (const [known, item] of rows) {
        const link = item.firstElementChild;
        if (known === id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
    }
}

/** The id `step` rows below (above, if negative) the given one; the nearest end beyond that. */
export function neighbour(id, step) {
    const ids = [...holder.children].map((item) => Number(item.dataset.id));
    if (ids.length === 0) return null;
    const at = ids.indexOf(id);
    if (at < 0) return step > 0 ? ids[0] : ids[ids.length - 1];
    return ids[Math.min(ids.length - 1, Math.max(0, at + step))];
}

export function reveal(id) {
    rows.get(id)?.firstElementChild.scrollIntoView({ block: "nearest" });
}

export function focus(id) {
    rows.get(id)?.firstElementChild.focus({ preventScroll: true });
    reveal(id);
}
