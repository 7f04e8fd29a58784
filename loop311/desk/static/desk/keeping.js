/* Nothing typed is lost: it is kept on the server as it is typed, and in this browser as long as the server does not have it. */

const PAUSE = 700;
const RETRY = [2000, 4000, 8000, 15000];
const SILENCE = 15000; // milliseconds without an answer, after which the next letter is sent all the same

/** One letter to the server at a time, each written when it is its turn: none arrives with words older than the last answer. */
export class Line {
  #waiting = [];
  #busy = false;

  /** `send` returns a promise that ends with the answer. With nobody before it, it is called at once. */
  take(send) {
    this.#waiting.push(send);
    if (!this.#busy) this.#go();
  }

  async #go() {
    this.#busy = true;
    while (this.#waiting.length) {
      try {
        await Promise.race([this.#waiting.shift()(), new Promise((resolve) => setTimeout(resolve, SILENCE))]);
      } catch {
        /* who sent it has been told */
      }
    }
    this.#busy = false;
  }
}

/** Signing in again in another window made this form's token worthless: fetch the page's new one. False while signed out. */
async function renewToken(form) {
  const answer = await fetch(window.location.pathname, { redirect: "manual", signal: AbortSignal.timeout(10000) });
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("#contact [name=csrfmiddlewaretoken]");
  if (!fresh) return false;
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = fresh.value;
  return true;
}

export class Keeper {
  constructor(form, line) {
    this.form = form;
    this.line = line;
    this.saved = document.getElementById("saved");
    this.banner = document.getElementById("banner");
    this.place = `loop311.contact.${form.dataset.contact}`;
    this.edits = 0; // counts what was typed, to know whether something came after a letter was sent
    this.sent = 0;
    this.trouble = "";
    this.tries = 0;
    this.pending = null; // the button that was pressed without an answer
    form.addEventListener("input", () => this.typed());
    window.addEventListener("online", () => this.again());
    window.addEventListener("offline", () => this.broken("offline"));
    window.addEventListener("focus", () => this.trouble && this.again());
    window.addEventListener("pagehide", () => this.edits > this.sent && this.remember());
    this.banner.addEventListener("click", (event) => event.target.closest("[data-again]") && this.again());
    this.recover();
  }

  /** Somebody else has the contact now: what is typed stays in this browser, and nothing is sent any more. */
  over() {
    this.isOver = true;
    clearTimeout(this.retry);
    this.remember();
  }

  typed() {
    this.edits += 1;
    this.remember();
    if (this.isOver) return;
    if (!this.trouble) this.saved.textContent = this.banner.dataset.typing;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), PAUSE);
  }

  /** A photo itself is not kept in the browser, only that there is one. */
  fields() {
    const words = [...new FormData(this.form)].filter(([name]) => name !== "csrfmiddlewaretoken" && name !== "photos");
    return this.hasPhoto() ? [...words, ["photos", "1"]] : words;
  }

  hasPhoto() {
    return Boolean(this.form.elements.photos?.files?.length);
  }

  /** The words alone: a photo goes when it is chosen. */
  words() {
    const words = new FormData(this.form);
    words.delete("photos");
    return words;
  }

  remember() {
    try {
      localStorage.setItem(this.place, JSON.stringify(this.fields()));
    } catch {
      /* a full or forbidden store: the server still has all but the last moment */
    }
  }

  forget() {
    try {
      localStorage.removeItem(this.place);
    } catch {
      /* nothing was kept there */
    }
  }

  /** Words that never reached the server come back into their fields, under the window they were typed in. */
  recover() {
    let left = null;
    try {
      left = JSON.parse(localStorage.getItem(this.place));
    } catch {
      left = null;
    }
    if (!Array.isArray(left)) return;
    const state = new Map(left);
    if (state.get("part") !== this.form.elements.part.value) return this.forget();
    this.fill(left);
    if (state.has("photos")) this.banner.textContent = this.banner.dataset.photo;
    this.form.elements.tab.value = state.get("tab");
    this.form.elements.version.value = state.get("version");
    this.edits += 1;
    this.keep();
  }

  fill(left) {
    const words = new Map();
    for (const [name, value] of left) words.set(name, [...(words.get(name) ?? []), value]);
    for (const field of this.form.elements) {
      if (!field.name || ["hidden", "submit", "button", "file"].includes(field.type)) continue;
      const values = words.get(field.name) ?? [];
      if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
      else if (words.has(field.name)) field.value = values[0];
    }
  }

  /** Send the words alone; nothing on the screen moves. */
  keep() {
    clearTimeout(this.timer);
    if (this.busy) return;
    this.busy = true;
    this.line.take(() => this.send());
  }

  async send() {
    const edits = this.edits;
    try {
      if (this.isOver || edits === this.sent) return; // a step before it carried the words along
      if (this.trouble === "signedOut" && !(await renewToken(this.form))) return this.broken("signedOut");
      const answer = await fetch(this.form.action, {
        method: "POST",
        body: this.words(),
        headers: { Accept: "application/json" },
        redirect: "manual",
        signal: AbortSignal.timeout(10000),
      });
      const told = answer.ok ? await answer.json() : {};
      if (told.version) this.form.elements.version.value = told.version;
      this.answered(answer.status, edits, told.at);
    } catch {
      this.broken("offline");
    } finally {
      this.busy = false;
      if (this.edits > this.sent && !this.trouble) this.timer = setTimeout(() => this.keep(), PAUSE);
    }
  }

  answered(status, edits, at) {
    if (status === 200) return this.arrived(edits, at);
    if (status === 401 || status === 403) return this.broken("signedOut");
    if (status === 409) {
      this.sent = edits;
      return document.getElementById("go-on").click(); // the page explains what the other window wrote
    }
    if (status === 404) return window.location.assign(window.location.pathname);
    if (status >= 500) return this.broken("trouble");
    this.sent = edits; // refused with a sentence: shown by the step that needs it
  }

  /** The server has everything typed up to `edits`. */
  arrived(edits = this.edits, at = "") {
    this.sent = Math.max(this.sent, edits);
    if (this.hasPhoto()) this.remember();
    else if (this.edits === this.sent) this.forget();
    this.say(at);
    if (!this.trouble) return;
    this.trouble = "";
    this.tries = 0;
    clearTimeout(this.retry);
    this.banner.replaceChildren(document.createTextNode(this.banner.dataset.back));
    setTimeout(() => this.trouble || this.banner.replaceChildren(), 6000);
    const button = this.pending;
    this.pending = null;
    if (button?.isConnected) button.click();
    else if (this.hasPhoto()) this.form.elements.photos.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** Never while something is typed that the server does not have. */
  say(at) {
    if (at && this.edits === this.sent) this.saved.textContent = `${this.banner.dataset.kept} ${at}`;
  }

  broken(why, button = null) {
    if (button) this.pending = button;
    this.edits += this.edits === this.sent ? 1 : 0;
    this.remember();
    if (this.trouble !== why) this.explain(why);
    this.trouble = why;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.again(), RETRY[Math.min(this.tries, RETRY.length - 1)]);
    this.tries += 1;
  }

  explain(why) {
    const words = this.banner.dataset;
    const told = document.createElement("span");
    told.textContent = words[why];
    const act = document.createElement(why === "signedOut" ? "a" : "button");
    if (why === "signedOut") Object.assign(act, { href: words.signInAt, target: "_blank", rel: "noopener", textContent: words.signIn });
    else Object.assign(act, { type: "button", className: "plain", textContent: words.again });
    if (why !== "signedOut") act.dataset.again = "";
    this.banner.replaceChildren(told, act);
    this.saved.textContent = words.typing;
  }

  again() {
    if (!this.trouble && this.edits === this.sent) return;
    this.edits += this.edits === this.sent ? 1 : 0;
    this.keep();
  }
}
