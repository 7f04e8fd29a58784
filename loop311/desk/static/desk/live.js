/* <live-updates city since topics refresh explain>: what others change appears on an open page.

   Asks /desk/live/ by server-sent events while the page is looked at, and tells the page with the event "live:change" (bubbles;
   detail: {event, type, id, kind}, or null when something may have been missed). With `refresh`, every element with an id and
   `data-live-part` is replaced by its present self, unless somebody is typing in it. With `explain`, the sentences found at that
   address are shown in it first: who has changed what. */

const PAUSE = 250; // milliseconds: several changes at once are one refresh
const LEAST = 1500; // between two refreshes, so that a busy city costs no more

class LiveUpdates extends HTMLElement {
  #source = null;
  #at = "";
  #seen = new Set();
  #timer = 0;
  #last = 0;
  #closing = new AbortController();

  connectedCallback() {
    this.#at = this.getAttribute("since") ?? "";
    const { signal } = this.#closing;
    document.addEventListener("visibilitychange", () => this.#look(), { signal });
    this.addEventListener("click", (event) => this.#answer(event), { signal });
    this.#look();
  }

  disconnectedCallback() {
    this.#closing.abort();
    this.#source?.close();
    clearTimeout(this.#timer);
  }

  #look() {
    this.#source?.close();
    this.#source = null;
    if (document.hidden) return;
    const query = new URLSearchParams({ city: this.getAttribute("city"), since: this.#at });
    for (const topic of (this.getAttribute("topics") ?? "").split(/\s+/).filter(Boolean)) query.append("topic", topic);
    this.#source = new EventSource(`/desk/live/?${query}`);
    this.#source.addEventListener("change", (message) => this.#hear(message, JSON.parse(message.data)));
    this.#source.addEventListener("reset", (message) => this.#hear(message, null));
    this.#source.addEventListener("error", () => this.#rest());
  }

  // The browser asks again by itself; where it gives up (signed out, server away), we do, now and then.
  #rest() {
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    setTimeout(() => { if (this.isConnected && this.#source?.readyState === EventSource.CLOSED) this.#look(); }, 10_000);
  }

  #hear(message, change) {
    this.#at = message.lastEventId || this.#at;
    if (change) {
      if (this.#seen.has(change.event)) return;
      this.#seen.add(change.event);
      if (this.#seen.size > 500) this.#seen.delete(this.#seen.values().next().value);
    }
    this.dispatchEvent(new CustomEvent("live:change", { bubbles: true, detail: change }));
    if (!this.hasAttribute("refresh") && !this.hasAttribute("explain")) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), Math.max(PAUSE, this.#last + LEAST - Date.now()));
  }

  async #show() {
    this.#last = Date.now();
    try {
      if (this.hasAttribute("explain")) await this.#explain();
      if (this.hasAttribute("refresh")) await this.#refresh();
    } catch {
      // The line is broken just now; the next change, or the next look at the page, shows it.
    }
  }

  async #explain() {
    const page = await fetched(this.getAttribute("explain"));
    const news = page?.querySelector("[data-live-news]");
    if (news) this.replaceChildren(document.importNode(news, true));
  }

  async #refresh() {
    const page = await fetched(location.href);
    if (!page) return;
    for (const old of document.querySelectorAll("[data-live-part][id]")) {
      const fresh = page.getElementById(old.id);
      if (fresh && !isTyping(old) && fresh.outerHTML !== old.outerHTML) replace(old, document.importNode(fresh, true));
    }
    this.dispatchEvent(new CustomEvent("live:shown", { bubbles: true }));
  }

  // "I have seen it": what is typed may be saved on top of the change that was explained.
  #answer(event) {
    const button = event.target.closest?.("[data-live-seen]");
    if (!button) return;
    for (const field of document.querySelectorAll('input[type="hidden"][name="version"]')) field.value = button.dataset.liveSeen;
    const explain = new URL(this.getAttribute("explain"), location.href);
    explain.searchParams.set("since", button.dataset.liveSeen);
    this.setAttribute("explain", explain.pathname + explain.search);
    this.replaceChildren();
    document.querySelector("main h1")?.scrollIntoView?.({ block: "nearest" });
  }
}

async function fetched(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// Somebody has changed a field of it, or stands in one that takes words.
function isTyping(part) {
  const here = document.activeElement;
  if (part.contains(here) && here.matches("textarea, select, input:not([type=checkbox]):not([type=radio])")) return true;
  return [...part.querySelectorAll("textarea, select, input:not([type=hidden])")].some(isChanged);
}

function isChanged(field) {
  if (field.name === "pick") return false; // picked rows are picked again below
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.type === "file") return field.files.length > 0;
  if (field.tagName === "SELECT") return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0;
  return field.value !== field.defaultValue;
}

// What is picked, open and focused stays so. A row somebody else has changed is no longer picked.
function replace(old, fresh) {
  const picked = [...old.querySelectorAll("input[name=pick]:checked")].map((field) => field.value);
  const open = [...old.querySelectorAll("details[open]")].map((each) => each.id).filter(Boolean);
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  const mark = focus && (focus.id ? `#${CSS.escape(focus.id)}` : focus.getAttribute("href") ? `a[href="${CSS.escape(focus.getAttribute("href"))}"]` : "");
  old.replaceWith(fresh);
  for (const value of picked) {
    const field = fresh.querySelector(`input[name=pick][value="${CSS.escape(value)}"]`);
    if (field) field.checked = true;
  }
  for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  if (mark) fresh.querySelector(mark)?.focus({ preventScroll: true });
}

customElements.define("live-updates", LiveUpdates);
