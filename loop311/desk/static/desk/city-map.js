/* <city-map>: the city's own areas and streets, the open requests around a point, and a way to set that point.
   Never the only way to give a place: it fills in fields that are there without it, and says so when it cannot be drawn.

   src: what the map begins with (JSON); around: the nearest address and open requests (?latitude=&longitude=);
   requests: where a request's page is; latitude, longitude, address: ids of the fields. Texts come as data-*.
   Says `place-chosen` with {text, latitude, longitude, kind: "point"} when a point is set. */

const STREETS_FROM = 14; // zoom from which all streets are drawn, not only the main ones
const NAMES_FROM = 16;
const MOST_CELLS = 30;
const styles = ["../leaflet/leaflet.css", "./where.css"];

function withStyles() {
  return Promise.all(styles.map((path) => {
    const href = new URL(path, import.meta.url).href;
    if ([...document.styleSheets].some((sheet) => sheet.href?.split("?")[0] === href)) return null;
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    return new Promise((done) => { link.onload = link.onerror = done; document.head.append(link); });
  }));
}

async function json(address, signal) {
  const answer = await fetch(address, { signal, headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  if (!(answer.headers.get("Content-Type") || "").includes("json")) throw new Error("signed out");
  return answer.json();
}

class CityMap extends HTMLElement {
  async connectedCallback() {
    if (this.frame) return;
    this.frame = this.appendChild(document.createElement("div"));
    this.frame.className = "city-map__frame";
    this.status = this.appendChild(document.createElement("p"));
    this.status.className = "city-map__status";
    this.status.setAttribute("role", "status");
    try {
      const [leaflet, begin] = await Promise.all([import("../leaflet/leaflet-src.esm.js"), json(this.getAttribute("src")), withStyles()]);
      this.draw(leaflet, begin);
    } catch (error) {
      this.fail(error);
    }
  }

  disconnectedCallback() {
    this.map?.remove();
    this.listening?.abort();
    this.frame?.remove();
    this.bar?.remove();
    this.status?.remove();
    this.frame = this.map = null;
  }

  fail(error) {
    this.frame.hidden = true;
    this.status.textContent = error.message === "signed out" ? this.dataset.out : this.dataset.failed;
  }

  draw(leaflet, begin) {
    this.L = leaflet;
    this.begin = begin;
    const options = { attributionControl: Boolean(begin.tiles), zoomSnap: 0.5, maxZoom: 19, preferCanvas: false };
    this.map = leaflet.map(this.frame, options);
    this.frame.setAttribute("role", "application");
    this.frame.setAttribute("aria-label", this.dataset.map);
    if (begin.tiles) leaflet.tileLayer(begin.tiles, { attribution: text(begin.tiles_credit), maxZoom: 19 }).addTo(this.map);
    this.layers = { areas: leaflet.layerGroup(), main: leaflet.layerGroup(), streets: leaflet.layerGroup(), names: leaflet.layerGroup(), near: leaflet.layerGroup() };
    for (const group of Object.values(this.layers)) group.addTo(this.map);
    this.cells = new Map();
    const [west, south, east, north] = begin.bounds || [-180, -60, 180, 70];
    this.map.fitBounds([[south, west], [north, east]], { animate: false });
    this.map.setMaxBounds(this.map.getBounds().pad(1));
    this.controls();
    this.shown(begin.layers.find((each) => !each.is_boundary) || begin.layers[0]);
    this.boundary(begin.layers.find((each) => each.is_boundary));
    this.streets();
    this.follow();
    this.map.on("moveend", () => this.streets());
    this.map.on("click", (event) => this.set(event.latlng));
    this.frame.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === this.frame) { event.preventDefault(); this.set(this.map.getCenter()); }
    });
    this.setAttribute("ready", "");
  }

  controls() {
    this.bar = document.createElement("div");
    this.bar.className = "city-map__bar";
    const button = Object.assign(document.createElement("button"), { type: "button", className: "usa-button usa-button--outline", textContent: this.dataset.set });
    button.addEventListener("click", () => this.set(this.map.getCenter()));
    this.bar.append(button);
    if (this.begin.layers.length > 1) this.bar.append(this.chooser());
    this.status.before(this.bar);
    const cross = this.frame.appendChild(document.createElement("div"));
    cross.className = "city-map__cross";
    cross.setAttribute("aria-hidden", "true");
  }

  chooser() {
    const label = document.createElement("label");
    const select = Object.assign(document.createElement("select"), { className: "usa-select" });
    const first = this.begin.layers.find((each) => !each.is_boundary) || this.begin.layers[0];
    for (const each of [...this.begin.layers, { code: "", name: this.dataset.none }]) select.add(new Option(each.name, each.code, each === first, each === first));
    select.addEventListener("change", () => this.shown(this.begin.layers.find((each) => each.code === select.value)));
    label.append(`${this.dataset.layer} `, select);
    return label;
  }

  async shown(layer) {
    this.wanted = layer?.code;
    this.layers.areas.clearLayers();
    this.areas = [];
    if (!layer) return this.names();
    const drawn = await json(layer.url).catch(() => null);
    if (!drawn || this.wanted !== layer.code) return;
    this.L.geoJSON(drawn, { interactive: false, style: () => ({ className: "city-map__area" }) }).addTo(this.layers.areas).bringToBack();
    this.areas = drawn.features.slice(0, 500).map((feature) => ({ name: feature.properties.name, at: this.L.geoJSON(feature).getBounds().getCenter() }));
    this.names();
  }

  label(name, at, css) {
    this.L.tooltip({ permanent: true, direction: "center", className: css, interactive: false }).setLatLng(at).setContent(text(name)).addTo(this.layers.names);
  }

  async boundary(layer) {
    const drawn = layer && (await json(layer.url).catch(() => null));
    if (drawn && this.map) this.L.geoJSON(drawn, { interactive: false, style: () => ({ className: "city-map__boundary" }) }).addTo(this.map).bringToBack();
  }

  async streets() {
    if (!this.begin.streets) return this.names();
    const near = this.map.getZoom() >= STREETS_FROM;
    this.frame.classList.toggle("city-map__frame--near", near);
    if (!near && !this.mainAsked) {
      this.mainAsked = true;
      const drawn = await json(this.begin.streets).catch(() => null);
      if (drawn && this.map) this.lines(drawn).addTo(this.layers.main);
    }
    if (near) await Promise.all(this.cellsInSight().map(([x, y]) => this.cell(x, y)));
    if (this.map) this.names();
  }

  cellsInSight() {
    const side = this.begin.cell_degrees;
    const bounds = this.map.getBounds();
    const columns = [Math.floor((bounds.getWest() + 180) / side), Math.floor((bounds.getEast() + 180) / side)];
    const rows = [Math.floor((bounds.getSouth() + 90) / side), Math.floor((bounds.getNorth() + 90) / side)];
    const found = [];
    for (let x = columns[0]; x <= columns[1]; x++) for (let y = rows[0]; y <= rows[1]; y++) found.push([x, y]);
    return found.length <= MOST_CELLS ? found : [];
  }

  async cell(x, y) {
    const name = `${x}/${y}`;
    if (this.cells.has(name)) return;
    this.cells.set(name, null);
    const drawn = await json(`${this.begin.streets}${name}/`).catch(() => null);
    if (!drawn) return this.cells.delete(name); // asked again the next time it comes in sight
    this.cells.set(name, drawn.features);
    if (this.map) this.lines(drawn).addTo(this.layers.streets);
  }

  lines(drawn) {
    return this.L.geoJSON(drawn, { interactive: false, style: () => ({ className: "city-map__street" }) });
  }

  /* Names where they fit, none over another: of areas from afar, of streets near by, each street once. */
  names() {
    this.layers.names.clearLayers();
    const taken = [];
    const near = this.map.getZoom() >= STREETS_FROM;
    if (!near) for (const each of this.areas || []) if (this.fits(each.name, each.at, taken)) this.label(each.name, each.at, "city-map__area-name");
    if (this.map.getZoom() >= NAMES_FROM) this.streetNames(taken);
  }

  streetNames(taken) {
    const said = new Set();
    for (const feature of [...this.cells.values()].flat()) {
      const name = feature?.properties.name;
      const at = name && !said.has(name) && this.spots(feature).find((spot) => this.fits(name, spot, taken));
      if (!at) continue;
      said.add(name);
      this.label(name, at, "city-map__street-name");
    }
  }

  spots(feature) {
    const lines = feature.geometry.type === "LineString" ? [feature.geometry.coordinates] : feature.geometry.coordinates;
    const between = ([x0, y0], [x1, y1], share) => this.L.latLng(y0 + (y1 - y0) * share, x0 + (x1 - x0) * share);
    return lines.flatMap((line) => line.slice(1).flatMap((end, i) => [0.5, 0.25, 0.75, 0.1, 0.9].map((share) => between(line[i], end, share))));
  }

  /* Whether the name stands whole in the window and over no other; then its place is taken. */
  fits(name, at, taken) {
    const size = this.map.getSize();
    const { x, y } = this.map.latLngToContainerPoint(at);
    const half = name.length * 3.6 + 6;
    const [left, top, right, bottom] = [x - half, y - 10, x + half, y + 10];
    if (left < 0 || top < 0 || right > size.x || bottom > size.y) return false;
    if (taken.some((other) => left < other[2] && right > other[0] && top < other[3] && bottom > other[1])) return false;
    taken.push([left, top, right, bottom]);
    return true;
  }

  /* --- The point ------------------------------------------------------------------------------------------------------ */

  field(name) {
    return document.getElementById(this.getAttribute(name) || "");
  }

  follow() {
    this.listening = new AbortController();
    for (const name of ["latitude", "longitude"]) this.field(name)?.addEventListener("change", () => this.fromFields(), { signal: this.listening.signal });
    this.fromFields();
  }

  fromFields() {
    const [latitude, longitude] = ["latitude", "longitude"].map((name) => Number.parseFloat(this.field(name)?.value || ""));
    if (Number.isNaN(latitude) || Number.isNaN(longitude) || Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return this.nowhere();
    const here = this.L.latLng(latitude, longitude);
    if (this.point && this.point.getLatLng().equals(here)) return;
    this.mark(here);
    this.map.setView(here, Math.max(this.map.getZoom(), NAMES_FROM), { animate: false });
    this.look(here);
  }

  nowhere() {
    this.point?.remove();
    this.point = null;
    this.layers.near.clearLayers();
    this.status.textContent = "";
  }

  mark(here) {
    this.point?.remove();
    const icon = this.L.divIcon({ className: "city-map__point", iconSize: [22, 22] });
    this.point = this.L.marker(here, { icon, interactive: false, keyboard: false }).addTo(this.map);
  }

  async set(here) {
    this.mark(here);
    for (const [name, value] of [["latitude", here.lat], ["longitude", here.lng]]) if (this.field(name)) this.field(name).value = value.toFixed(6);
    this.point.setLatLng([Number(here.lat.toFixed(6)), Number(here.lng.toFixed(6))]);
    this.field("longitude")?.dispatchEvent(new Event("change", { bubbles: true }));
    const found = await this.look(here);
    this.rename(found?.address || "");
    this.dispatchEvent(new CustomEvent("place-chosen", { bubbles: true, detail: { text: found?.address || "", latitude: here.lat, longitude: here.lng, kind: "point" } }));
  }

  /* The nearest address, in the place of one that was chosen for another point; words that somebody typed stay. */
  rename(nearest) {
    const address = this.field("address");
    const suggested = address?.closest("address-field");
    if (!address || (address.value && address.value !== this.filled && !suggested?.chosen)) return;
    if (suggested) suggested.chosen = null;
    address.value = this.filled = nearest;
  }

  /* What is known there; a later point makes an earlier question stale. */
  async look(here) {
    this.looking?.abort();
    this.looking = new AbortController();
    try {
      const found = await json(`${this.getAttribute("around")}?latitude=${here.lat.toFixed(6)}&longitude=${here.lng.toFixed(6)}`, this.looking.signal);
      this.around(found);
      return found;
    } catch (error) {
      if (error.message === "signed out") this.status.textContent = this.dataset.out;
      return null;
    }
  }

  around(found) {
    this.layers.near.clearLayers();
    for (const each of found.requests) this.request(each);
    const near = found.address ? ` ${this.dataset.near} ${found.address}.` : "";
    this.status.textContent = `${this.dataset.done}${near} ${this.dataset.open} ${found.requests.length}.`;
  }

  request(each) {
    const label = `${each.service} ${each.number}, ${each.metres} m`;
    const icon = this.L.divIcon({ className: `city-map__request city-map__request--${each.state}`, iconSize: [16, 16] });
    const marker = this.L.marker([each.latitude, each.longitude], { icon, title: label, keyboard: true }).addTo(this.layers.near);
    marker.getElement().setAttribute("aria-label", label);
    const link = Object.assign(document.createElement("a"), { href: `${this.getAttribute("requests")}${encodeURIComponent(each.number)}/`, textContent: label, target: "_blank", rel: "noopener" });
    marker.bindPopup(link, { className: "city-map__popup" });
  }
}

/* Names are people's words: as text, never as markup. */
function text(words) {
  const span = document.createElement("span");
  span.textContent = words;
  return span.innerHTML;
}

customElements.define("city-map", CityMap);
