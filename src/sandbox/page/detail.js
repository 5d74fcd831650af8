// SPDX-License-Identifier: MIT
// page/detail: one message at the right, under five tabs.
//
// Everything here was written by whoever sent the message: it is shown as text, HTML too.

import { counted, element, fullTime, isolated, octets, visible, visibleLines } from "/dom.js";

const holder = document.getElementById("detail");
const sourceOctetsMax = 256 * 1024;

const panels = {
    Text: text,
    Headers: headers,
    Envelope: envelope,
    Conversation: conversation,
    Source: source,
};
let chosenTab = "Text"; // stays from message to message
let turn = 0; // counts what was asked for, so that a late answer cannot replace a newer one

function terms(...pairs) {
    const shown = pairs.filter((pair) => pair !== null).flatMap(([name, ...values]) => [
        element("dt", {}, name),
        ...values.map((value) => element("dd", {}, value)),
    ]);
    return element("dl", { class: "terms" }, ...shown);
}

const note = (words) => element("p", { class: "note" }, words);

function text(message) {
    const shown = [];
    if (message.text_type === "") shown.push(note("This message has no text part."));
    const html = message.text_type === "text/html";
    if (html) shown.push(note("No plain text came with this message. The source of its HTML:"));
    if (message.text_type !== "" && message.text.trim() === "") shown.push(note("The text is empty."));
    const body = { class: html ? "body source" : "body", dir: html ? "ltr" : "auto" };
    shown.push(element("pre", body, visibleLines(message.text)));
    if (message.text_cut) shown.push(note("The text goes on: the source has all of it."));
    if (message.parts.length > 1) shown.push(parts(message));
    return shown;
}

function parts(message) {
    const items = message.parts.map((part) => element("li", {},
        element("span", { class: "type" }, visible(part.type)),
        part.name ? isolated(part.name) : null,
        element("span", { class: "size" }, octets(part.size))));
    const more = message.parts_cut ? note("There are more parts than are listed here.") : null;
    return element("section", { class: "parts" }, element("h3", {}, counted(message.parts.length, "part")),
        element("ul", {}, ...items), more);
}

function headers(message) {
    if (message.headers.length === 0) return [note("This message has no header.")];
    const shown = [terms(...message.headers.map((field) => [visible(field.name), isolated(field.value)]))];
    if (message.headers_cut) shown.push(note("The header goes on: the source has all of it."));
    return shown;
}

function envelope(message) {
    const left = message.recipients - message.forward_paths.length;
    return [terms(
        ["From", message.reverse_path ? isolated(message.reverse_path) : "<> (nobody: nothing shall bounce)"],
        ["To", ...message.forward_paths.map(isolated), ...(left > 0 ? [`and ${left} more`] : [])],
        message.parameters.length > 0 ? ["Parameters", ...message.parameters.map(isolated)] : null,
        ["Taken by", isolated(message.exchanger)],
        ["Sent by", isolated(message.client)],
        ["Which said", isolated(message.hello)],
        ["Received", fullTime(message.received)],
        ["Size", `${octets(message.size)} (${message.size.toLocaleString()})`])];
}

const speakers = { C: "client", S: "server", "!": "network" };

function conversation(message) {
    if (message.conversation.length === 0) return [note("Nothing was recorded of this conversation.")];
    const lines = message.conversation.map((line) => {
        const speaker = speakers[line.who] ?? "network";
        return element("li", { class: speaker },
            element("span", { class: "who", title: speaker }, `${visible(line.who)}:`),
            element("code", { dir: "ltr" }, visible(line.text)));
    });
    const shown = [element("ol", { class: "conversation" }, ...lines)];
    if (message.conversation_cut) shown.push(note("The conversation went on."));
    return shown;
}

function source(message) {
    const pre = element("pre", { class: "body source", dir: "ltr" });
    const end = note("Loading.");
    readSource(message.id).then(([found, cut]) => {
        pre.textContent = visibleLines(found);
        end.textContent = `The first ${octets(sourceOctetsMax)}. Download the message for all of it.`;
        end.hidden = !cut;
    }, () => { end.textContent = "The source could not be loaded: the message may be gone."; });
    return [pre, end];
}

// Reads no more than is shown, however large the message is.
async function readSource(id) {
    const answer = await fetch(`/api/messages/${id}/source`);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let found = "";
    let left = sourceOctetsMax;
    while (left > 0) {
        const { done, value } = await reader.read();
        if (done) return [(found + decoder.decode()).replaceAll("\r\n", "\n"), false];
        found += decoder.decode(value.subarray(0, left), { stream: true });
        left -= value.length;
    }
    await reader.cancel();
    return [found.replaceAll("\r\n", "\n"), true];
}

function chooseTab(message, name) {
    chosenTab = name;
    for (const tab of holder.querySelectorAll("[role=tab]")) {
        const chosen = tab.dataset.name === name;
        tab.setAttribute("aria-selected", String(chosen));
        tab.tabIndex = chosen ? 0 : -1;
    }
    const panel = holder.querySelector("[role=tabpanel]");
    panel.setAttribute("aria-labelledby", `tab-${name}`);
    panel.replaceChildren(...panels[name](message));
    panel.scrollTop = 0;
}

function onTabKey(event, message) {
    const names = Object.keys(panels);
    const at = names.indexOf(chosenTab);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: names.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const name = names[(next + names.length) % names.length];
    chooseTab(message, name);
    holder.querySelector(`#tab-${name}`).focus();
}

function tabs(message) {
    const list = element("div", { role: "tablist", "aria-label": "Ways to look at the message" },
        ...Object.keys(panels).map((name) => {
            const tab = element("button", { type: "button", role: "tab", id: `tab-${name}`, "data-name": name,
                "aria-controls": "panel" }, name);
            tab.addEventListener("click", () => chooseTab(message, name));
            return tab;
        }));
    list.addEventListener("keydown", (event) => onTabKey(event, message));
    return list;
}

function head(message, remove) {
    const removal = element("button", { type: "button", class: "delete" }, "Delete");
    removal.addEventListener("click", () => remove(message.id));
    const recipients = message.forward_paths.slice(0, 5).map(visible).join(", ");
    const more = message.recipients - Math.min(5, message.forward_paths.length);
    return element("header", {},
        element("a", { href: "#", class: "back" }, "\u2190 All messages"),
        element("h2", { class: message.subject ? null : "none" },
            message.subject ? isolated(message.subject) : "no subject"),
        element("p", { class: "people" },
            element("strong", {}, isolated(message.from || "<>")), " to ",
            element("bdi", {}, recipients + (more > 0 ? ` and ${more} more` : ""))),
        element("p", { class: "facts" },
            fullTime(message.received), " · ", isolated(message.exchanger), " · ", octets(message.size)),
        element("div", { class: "actions" },
            element("a", { href: `/api/messages/${message.id}/source`, download: true }, "Download"),
            removal));
}

/** Shows words in the message's place. */
export function say(words) {
    ++turn;
    holder.replaceChildren(element("p", { class: "hint" }, words));
}

/** Loads and shows one message; `remove(id)` is called by its Delete button. */
export async function show(id, remove) {
    const mine = ++turn;
    try {
        const answer = await fetch(`/api/messages/${id}`);
        const message = answer.ok ? await answer.json() : null;
        if (mine !== turn) return;
        if (message === null)
            return say(answer.status === 404 ? "This message is gone." : "This message could not be loaded.");
        const panel = element("div", { role: "tabpanel", id: "panel", tabindex: "0" });
        holder.replaceChildren(head(message, remove), tabs(message), panel);
        chooseTab(message, chosenTab);
    } catch {
        if (mine === turn) say("The sandbox does not answer. Is it still running?");
    }
}
