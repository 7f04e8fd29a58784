/* <where-panel src>: what the city makes of the place in the form around it, asked for anew whenever the place changes.
   Without JavaScript the server shows the same when an address is searched. */

const FIELDS = new Set(["latitude", "longitude", "place"]);
const WAIT = 100;

class WherePanel extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.listener = (event) => FIELDS.has(event.target.name) && this.later();
    this.form?.addEventListener("change", this.listener);
  }

  disconnectedCallback() {
    this.form?.removeEventListener("change", this.listener);
    clearTimeout(this.timer);
    this.asking?.abort();
  }

  later() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  async ask() {
    this.asking = new AbortController();
    this.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(this.getAttribute("src"), { method: "POST", body: new FormData(this.form), signal: this.asking.signal });
      if (answer.ok && !answer.redirected) this.innerHTML = await answer.text(); // our own template, escaped by it
      this.removeAttribute("aria-busy");
    } catch (error) {
      if (error.name !== "AbortError") this.removeAttribute("aria-busy");
    }
  }
}

customElements.define("where-panel", WherePanel);
