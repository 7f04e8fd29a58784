/* <queue-list>: while the focus is in the list, j and k (or the arrows) go from row to row, x picks, a picks all or none.
   Enter opens, as on every link. Without it the list is a list of links and boxes. */

class QueueList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", (event) => this.#key(event));
    this.querySelector("[data-hint]")?.removeAttribute("hidden");
  }

  get #links() {
    return [...this.querySelectorAll("tbody th a")];
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select, textarea, input:not([type=checkbox])")) return;
    const done = this.#act(event.key, event.target.closest("tbody tr"));
    if (done) event.preventDefault();
  }

  #act(key, row) {
    if (key === "j" || key === "ArrowDown") return this.#step(row, 1);
    if (key === "k" || key === "ArrowUp") return this.#step(row, -1);
    if (key === "a") return this.#all();
    const box = key === "x" ? row?.querySelector("input[name=pick]") : null;
    if (box) box.checked = !box.checked;
    return Boolean(box);
  }

  #step(row, by) {
    const links = this.#links;
    const here = links.findIndex((link) => row?.contains(link));
    const next = links[Math.min(Math.max(here + by, 0), links.length - 1)];
    next?.focus();
    next?.closest("tr").scrollIntoView({ block: "nearest" });
    return Boolean(next);
  }

  #all() {
    const boxes = [...this.querySelectorAll("input[name=pick]")];
    const some = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = some;
    return boxes.length > 0;
  }
}

customElements.define("queue-list", QueueList);
