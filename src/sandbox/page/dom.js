// SPDX-License-Identifier: MIT
// page/dom: elements and words. A stranger's text enters the page here, and only as text nodes.

/** An element with attributes and children; strings become text nodes, never markup. */
export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (value === true) made.setAttribute(key, "");
        else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
}

// Controls, and the bidirectional embeddings, overrides and isolates that make text read
// differently from what it says. Plain marks (U+200E, U+200F) stay: honest Hebrew and Arabic have
// them. Built from numbers, so that none of them stands in this file.
const between = (first, last) => `${String.fromCharCode(first)}-${String.fromCharCode(last)}`;
const ranges = [between(0x00, 0x1f), between(0x7f, 0x9f), between(0x2028, 0x202e), between(0x2066, 0x2069)];
const unseen = new RegExp(`[${ranges.join("")}]`, "g");

const known = { "\0": "NUL", "\t": "TAB", "\n": "LF", "\r": "CR", "\x1b": "ESC", "\x7f": "DEL" };

// Unicode's own pictures of controls are in few fonts; names in brackets are in all.
function sign(character, lines) {
    if (lines && (character === "\n" || character === "\t")) return character;
    const number = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    return `\u27e8${known[character] ?? `U+${number}`}\u27e9`;
}

/** One line of foreign text with what cannot be seen made visible. */
export const visible = (text) => text.replace(unseen, (character) => sign(character, false));

/** The same for text of many lines: line feeds and tabs stay. */
export const visibleLines = (text) => text.replace(unseen, (character) => sign(character, true));

/** Foreign text in its own direction, unable to turn that of its surroundings. */
export const isolated = (text) => element("bdi", {}, visible(text));

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** Today's times as times, older ones as days. */
export function time(stamp) {
    const when = new Date(stamp);
    const today = when.toDateString() === new Date().toDateString();
    return element("time", { datetime: stamp, title: full.format(when) }, (today ? clock : day).format(when));
}

export const fullTime = (stamp) => element("time", { datetime: stamp }, full.format(new Date(stamp)));

export function octets(count) {
    if (count < 1000) return counted(count, "octet");
    const steps = ["kB", "MB", "GB"];
    let size = count / 1000;
    let step = 0;
    for (; size >= 999.5 && step + 1 < steps.length; ++step) size /= 1000;
    return `${size.toFixed(size < 9.95 ? 1 : 0)} ${steps[step]}`;
}

export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
