// SPDX-License-Identifier: MIT
// page/mailbox: the page's beginning: what is shown, and what keys and clicks do.
//
// The address decides which message is chosen (#3), so that links, reloads and the way back work.
// The server says that something changed; what changed is asked for, one question at a time.

import * as detail from "/detail.js";
import { counted } from "/dom.js";
import * as list from "/list.js";
import * as welcome from "/welcome.js";

const byId = (id) => document.getElementById(id);
const listedMax = 200;
const pauseBetweenLoads = 150; // ms; a thousand messages a second must not become as many questions
const pauseBeforeListening = 3000;

let count = null; // of all messages; null until the first answer
let words = "";
let chosen = null;
let loading = false;
let loadAgain = false;

const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

async function load() {
    const asked = words;
    const query = new URLSearchParams({ q: asked, limit: String(listedMax) });
    const answer = await fetch(`/api/messages?${query}`);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const found = await answer.json();
    if (asked === words) show(found);
}

async function refresh() {
    loadAgain = true;
    if (loading) return;
    loading = true;
    while (loadAgain) {
        loadAgain = false;
        try {
            await load();
        } catch {
            showLive("lost");
        }
        await pause(pauseBetweenLoads);
    }
    loading = false;
}

function summary(shown) {
    const all = counted(count, "message");
    if (words === "") return all;
    return `${shown === listedMax ? "The first " : ""}${shown} of ${all}`;
}

function show(found) {
    const first = count === null;
    const emptied = !first && count > 0 && found.count === 0;
    count = found.count;
    const shown = found.messages.length;
    document.title = count > 0 ? `(${count}) Postrider sandbox` : "Postrider sandbox";
    byId("empty").disabled = count === 0;
    byId("welcome").hidden = count > 0;
    byId("main").classList.toggle("without-mail", count === 0);
    byId("summary").textContent = count > 0 ? summary(shown) : "";
    byId("nothing-found").hidden = count === 0 || shown > 0;
    byId("nothing-words").textContent = `Nothing holds \u201c${words}\u201d.`;
    byId("more").hidden = words !== "" || shown === count;
    byId("more").textContent = `The newest ${shown}. Search to find older ones.`;
    list.show(found.messages);
    list.mark(chosen);
    if (first) list.reveal(chosen); // the address of a message may have been opened
    if (emptied && chosen !== null) location.replace("#");
}

function showLive(state) {
    byId("live").dataset.state = state;
    byId("live-words").textContent = { live: "live", lost: "reconnecting", waiting: "connecting" }[state];
}

function listen() {
    const events = new EventSource("/api/events");
    events.onmessage = () => {
        showLive("live");
        refresh();
    };
    events.onerror = () => {
        showLive("lost");
        if (events.readyState === EventSource.CLOSED) setTimeout(listen, pauseBeforeListening);
    };
}

function followAddress() {
    const id = Number(location.hash.slice(1));
    chosen = Number.isSafeInteger(id) && id > 0 ? id : null;
    byId("main").dataset.view = chosen === null ? "list" : "detail";
    list.mark(chosen);
    if (chosen === null) detail.say("Choose a message to read it.");
    else detail.show(chosen, remove);
}

async function remove(id) {
    const next = list.neighbour(id, 1) !== id ? list.neighbour(id, 1) : list.neighbour(id, -1);
    await fetch(`/api/messages/${id}`, { method: "DELETE" });
    refresh();
    if (chosen !== id) return;
    location.replace(next === null || next === id ? "#" : `#${next}`);
}

async function empty() {
    const dialog = byId("confirm");
    byId("confirm-words").textContent = `${counted(count, "message")} will be gone for good.`;
    dialog.returnValue = "no";
    dialog.showModal();
    await new Promise((closed) => { dialog.addEventListener("close", closed, { once: true }); });
    if (dialog.returnValue !== "yes") return;
    await fetch("/api/messages", { method: "DELETE" });
    refresh();
}

function search(text) {
    byId("search").value = text;
    words = text.trim();
    refresh();
}

function move(step) {
    const next = list.neighbour(chosen, step);
    if (next === null) return;
    location.replace(`#${next}`); // a step through the list is no step in the history
    list.focus(next);
}

function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("confirm").open) return;
    const inSearch = event.target === byId("search");
    const inDetail = byId("detail").contains(event.target);
    const arrows = inDetail ? {} : { ArrowDown: 1, ArrowUp: -1 }; // there they scroll what is read
    const steps = inSearch ? { ArrowDown: 1 } : { j: 1, k: -1, ...arrows };
    if (event.key in steps) {
        move(steps[event.key]);
    } else if (event.key === "/" && !inSearch) {
        byId("search").select();
    } else if (event.key === "Escape" && (inSearch || words !== "")) {
        search("");
    } else if (event.key === "Escape" && chosen !== null) {
        location.hash = "";
    } else {
        return;
    }
    event.preventDefault();
}

async function start() {
    byId("search").addEventListener("input", (event) => search(event.target.value));
    byId("search-form").addEventListener("submit", (event) => {
        event.preventDefault();
        move(1);
    });
    byId("clear-search").addEventListener("click", () => {
        search("");
        byId("search").focus();
    });
    byId("empty").addEventListener("click", empty);
    document.addEventListener("keydown", onKey);
    window.addEventListener("hashchange", followAddress);
    followAddress();
    listen();
    refresh();
    const about = await fetch("/api/sandbox").then((answer) => answer.json(), () => ({}));
    welcome.fill(about);
}

start();
