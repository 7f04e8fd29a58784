/* The contact by keyboard: shortcuts, lists, and where the keyboard goes on after a step. Everything works without it, too. */

import { ContactMap } from "./contact-map.js";
import { Keeper, Line } from "./keeping.js";

const form = document.getElementById("contact");
const help = document.getElementById("keys");
const line = new Line();
const keeper = new Keeper(form, line);
const map = new ContactMap(form);
const FIELDS = "input:not([type=hidden]), select, textarea";
const AREAS = {
  1: ["#c-who", "#caller button"],
  2: ["#c-want"],
  3: ["#c-address"],
  4: [`#safety ${"input:not([type=hidden])"}`, "#questions input:not([type=hidden]), #questions select, #questions textarea"],
  5: ["#known button"],
  6: ["#save", ".next button"],
  7: ["#answer summary, #answer button"],
  8: ["#holds"],
  9: ["#wrap-up"],
};
const PRESSES = { n: "#new > summary", b: "#call-back > summary", m: "#map > summary", p: "#c-photos" };

function first(selectors) {
  for (const selector of selectors) {
    const found = [...form.querySelectorAll(selector)].find((each) => each.checkVisibility());
    if (found) return found;
  }
  return null;
}

/** The chosen one of a group of radios, else the field itself. */
function entrance(field) {
  if (field?.type !== "radio") return field;
  return form.querySelector(`input[name="${CSS.escape(field.name)}"]:checked`) ?? field;
}

function go(selector) {
  const found = entrance(form.querySelector(selector));
  found?.focus();
}

// --- Shortcuts -----------------------------------------------------------------------------------------------------------

function pressed(event) {
  if (event.key === "Tab") moves += 1;
  if (event.ctrlKey && event.key === "Enter") return act(event, () => first(["#save"])?.click());
  if (event.altKey && !event.ctrlKey && !event.metaKey) return withAlt(event);
  if (event.key === "?" && singleKey() && !event.target.closest(FIELDS)) return act(event, () => help.showModal());
  if (["ArrowDown", "ArrowUp", "Escape", "Enter"].includes(event.key)) return inLists(event);
}

function withAlt(event) {
  const digit = event.code.match(/^(?:Digit|Numpad)([1-9])$/)?.[1];
  if (digit) return act(event, () => entrance(first(AREAS[digit]))?.focus());
  const opener = PRESSES[event.code.replace("Key", "").toLowerCase()];
  const found = event.code === "KeyI" ? informing() : opener && first([opener]);
  if (found) act(event, () => press(found));
}

/** Of the answer the keyboard is in, else of the one that is open, else of the first, open or not. */
function informing() {
  const answer = document.activeElement.closest("#answer .answer") ?? form.querySelector("#answer .answer[open]");
  return answer?.querySelector("button") ?? form.querySelector("#inform");
}

function press(found) {
  if (found.type === "file") found.focus();
  if (found.localName !== "summary") return found.click();
  found.parentElement.open = true;
  found.parentElement.querySelector(FIELDS)?.focus();
}

function act(event, what) {
  event.preventDefault();
  moves += 1;
  what();
}

// --- Lists: from the field with the arrows, Enter chooses --------------------------------------------------------------------

let keyboard = null; // where it was last
let moves = 0; // how often somebody has taken the keyboard elsewhere
let movedBefore = 0; // how often that was when the step was taken whose answer is put in place
let answered = 0; // edits that the answer which is put in place knows of
const typedAt = new Map(); // field -> the last edit of it
const LISTS = { "c-who": "#found", "c-want": "#proposals", "c-address": "#places" };

function inLists(event) {
  const button = event.target.closest(".choices button");
  if (button) return moveFrom(button, event);
  const list = LISTS[event.target.id];
  if (!list || event.shiftKey || !["ArrowDown", "Enter"].includes(event.key)) return;
  if (event.key === "ArrowDown" && event.target.localName === "textarea" && event.target.value.includes("\n")) return;
  const offered = form.querySelector(`${list} .choices button`);
  if (offered) act(event, () => offered.focus());
  else if (event.key === "Enter") act(event, () => document.getElementById("go-on").click());
}

function moveFrom(button, event) {
  if (event.key === "Enter") return;
  const all = [...button.closest(".choices").querySelectorAll("button")];
  const at = all.indexOf(button);
  const field = Object.keys(LISTS).find((id) => button.closest(LISTS[id]));
  const next = { ArrowDown: all[Math.min(at + 1, all.length - 1)], ArrowUp: all[at - 1], Escape: null }[event.key];
  act(event, () => (next ?? (field ? document.getElementById(field) : button)).focus());
}

/** A list that was put anew under the keyboard: it goes on on the same choice, else in the list's field. */
function back() {
  if (document.activeElement !== document.body || !keyboard || keyboard.isConnected) return;
  const id = keyboard.closest(".choices")?.closest("[id]")?.id;
  const field = Object.keys(LISTS).find((each) => LISTS[each] === `#${id}`);
  if (!field) return;
  const same = [...form.querySelectorAll(`#${id} .choices button`)].find((each) => each.value === keyboard.value);
  (same ?? document.getElementById(field))?.focus();
}

/** What was typed since the words of this answer were sent stays in its field, though the section is put anew. */
function keepTyped({ target, fragment }) {
  for (const field of target.querySelectorAll(FIELDS)) {
    if (field.type === "file" || !(typedAt.get(field.name) > answered)) continue;
    const isChoice = ["radio", "checkbox"].includes(field.type);
    const fresh = [...fragment.querySelectorAll(FIELDS)].find((each) => each.name === field.name && (!isChoice || each.value === field.value));
    if (fresh && isChoice) fresh.checked = field.checked;
    else if (fresh) fresh.value = field.value;
  }
}

// --- After a step ------------------------------------------------------------------------------------------------------------

function after({ focus, say, version, at }) {
  if (version) form.elements.version.value = version;
  document.getElementById("say").textContent = say ?? "";
  keeper.say(at);
  map.follow();
  if (focus && mayMove()) go(focus);
}

/** Who went on meanwhile keeps the keyboard: a space meant for the next words must not press a button. */
function mayMove() {
  return moves === movedBefore || document.activeElement === document.body;
}

function showKeys() {
  const opener = form.querySelector("[data-keys]");
  opener.hidden = keeper.saved.hidden = false;
  opener.addEventListener("click", () => help.showModal());
  help.querySelector("[data-close]").addEventListener("click", () => help.close());
  const single = help.querySelector("[data-single]");
  single.checked = singleKey();
  single.addEventListener("change", () => localStorage.setItem("loop311.single-key", single.checked ? "on" : "off"));
}

function singleKey() {
  return localStorage.getItem("loop311.single-key") !== "off";
}

document.addEventListener("keydown", pressed);
document.addEventListener("pointerdown", () => {
  moves += 1;
});
form.addEventListener("focusin", (event) => {
  keyboard = event.target;
});
form.addEventListener("input", (event) => typedAt.set(event.target.name, keeper.edits));
document.body.addEventListener("htmx:beforeSwap", (event) => {
  answered = event.detail.xhr.edits ?? keeper.edits;
  movedBefore = event.detail.xhr.moves ?? moves;
});
document.body.addEventListener("htmx:oobBeforeSwap", (event) => keepTyped(event.detail));
document.body.addEventListener("htmx:oobAfterSwap", back);
form.addEventListener("htmx:confirm", (event) => {
  const { verb, etc, issueRequest, triggeringEvent } = event.detail;
  if (verb === "get") return;
  event.preventDefault();
  if (triggeringEvent) triggeringEvent.moves = moves; // now, and not when it is its turn
  etc.returnPromise = true;
  line.take(() => issueRequest(true));
});
form.addEventListener("htmx:configRequest", (event) => {
  const button = event.detail.triggeringEvent?.submitter; // when it is its turn the keyboard may be at another
  if (!button) return;
  event.detail.path = button.getAttribute("formaction") ?? form.getAttribute("action");
  if (button.name) event.detail.parameters[button.name] = button.value;
});
document.body.addEventListener("contact:after", (event) => after(event.detail));
form.addEventListener("htmx:beforeRequest", (event) => {
  event.detail.xhr.edits = keeper.edits;
  event.detail.xhr.moves = event.detail.requestConfig.triggeringEvent?.moves;
});
form.addEventListener("htmx:afterRequest", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (requestConfig?.verb === "get") return; // carries no words
  const button = requestConfig?.triggeringEvent?.submitter ?? null;
  if (xhr.getResponseHeader("X-Contact-Taken")) keeper.over();
  else if (xhr.status === 401 || xhr.status === 403) keeper.broken("signedOut", button);
  else if (xhr.status >= 500) keeper.broken("trouble", button);
  else if (xhr.status >= 200) keeper.arrived(xhr.edits);
});
form.addEventListener("htmx:sendError", (event) => {
  if (event.detail.requestConfig?.verb === "get") return;
  keeper.broken("offline", event.detail.requestConfig?.triggeringEvent?.submitter ?? null);
});
showKeys();
if (!document.activeElement || document.activeElement === document.body) (first(["#done", "#c-who", "#c-want"]))?.focus();
