/* <address-field>: suggestions under an ordinary text field while an address is typed (WAI-ARIA combobox with a list).
   Without JavaScript it is the text field alone, and the server shows what may be meant.

   src: address of the suggestions (?q=); latitude, longitude: ids of the fields to fill (may be left out).
   Says `place-chosen` with {text, latitude, longitude, kind} when one is chosen, `place-cleared` when it is typed over. */

const WAIT = 120; // milliseconds without a key before we ask
let count = 0;

class AddressField extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input");
    if (!this.input || this.list) return;
    this.number = ++count;
    this.list = this.appendChild(this.make("ul", "suggestions", { role: "listbox", id: `suggestions-${this.number}`, hidden: "", "aria-label": this.dataset.list || "" }));
    this.status = this.appendChild(this.make("p", "usa-sr-only", { role: "status" }));
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id, autocomplete: "off", spellcheck: "false" })) this.input.setAttribute(name, value);
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("li")));
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.asking?.abort();
  }

  make(tag, css, attributes) {
    const made = document.createElement(tag);
    made.className = css;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  typed() {
    if (this.chosen) {
      this.chosen = null;
      this.point("", "");
      this.dispatchEvent(new CustomEvent("place-cleared", { bubbles: true }));
    }
    clearTimeout(this.timer);
    this.asking?.abort(); // what was asked before this key is stale
    const text = this.input.value.trim();
    if (text) this.timer = setTimeout(() => this.ask(text), WAIT);
    else this.close();
  }

  async ask(text) {
    this.asking = new AbortController();
    try {
      const answer = await fetch(`${this.getAttribute("src")}?q=${encodeURIComponent(text)}`, { signal: this.asking.signal, headers: { Accept: "application/json" } });
      if (!(answer.headers.get("Content-Type") || "").includes("json")) return this.tell(this.dataset.out);
      this.open(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") this.close(); // offline: it stays a plain field
    }
  }

  open(found) {
    this.found = found;
    this.active = -1;
    this.list.replaceChildren(...found.map((each, place) => this.option(each, place)));
    this.list.hidden = !found.length;
    this.input.setAttribute("aria-expanded", String(found.length > 0));
    this.input.removeAttribute("aria-activedescendant");
    this.tell(found.length ? `${found.length} ${this.dataset.found || ""}` : this.dataset.none);
  }

  option(each, place) {
    const item = this.make("li", `suggestions__one suggestions__one--${each.match}`, { role: "option", id: `suggestion-${this.number}-${place}`, "aria-selected": "false" });
    item.append(each.text);
    if (each.detail) item.append(" ", this.make("span", "muted", {}));
    if (each.detail) item.lastChild.textContent = each.detail;
    return item;
  }

  tell(text) {
    this.status.textContent = text || "";
  }

  close() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.list.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const size = this.list.hidden ? 0 : this.list.children.length;
    if (event.key === "Escape" && size) this.close();
    else if (event.key === "ArrowDown" && size) this.move((this.active + 1) % size);
    else if (event.key === "ArrowUp" && size) this.move((this.active + size - (this.active < 0 ? 0 : 1)) % size);
    else if (event.key === "Enter" && size && this.active >= 0) this.choose(this.list.children[this.active]);
    else if (event.key === "ArrowDown" && this.input.value.trim()) this.ask(this.input.value.trim());
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(place) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = place;
    const item = this.list.children[place];
    item.setAttribute("aria-selected", "true");
    item.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", item.id);
  }

  choose(item) {
    const one = item && this.found[[...this.list.children].indexOf(item)];
    if (!one) return;
    this.input.value = one.text;
    this.close();
    this.tell(one.text);
    this.chosen = one;
    this.point(one.latitude, one.longitude);
    this.dispatchEvent(new CustomEvent("place-chosen", { bubbles: true, detail: one }));
  }

  /* Into the fields, as a person would: others listen to `change`. */
  point(latitude, longitude) {
    for (const [name, value] of [["latitude", latitude], ["longitude", longitude]]) {
      const field = document.getElementById(this.getAttribute(name) || "");
      if (field) field.value = value === "" ? "" : Number(value).toFixed(6);
    }
    document.getElementById(this.getAttribute("longitude") || "")?.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

customElements.define("address-field", AddressField);
