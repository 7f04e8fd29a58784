/* The map of a contact: made when it is opened; a point set on it is chosen as the place, a place chosen by address is shown on it. */

import "./city-map.js";

export class ContactMap {
  constructor(form) {
    this.form = form;
    this.box = document.getElementById("map");
    this.box?.addEventListener("toggle", () => this.box.open && this.open());
    this.box?.addEventListener("place-chosen", (event) => this.chosen(event.detail));
  }

  open() {
    const drawn = this.box.querySelector("template");
    if (!drawn) return;
    this.follow();
    drawn.replaceWith(drawn.content);
  }

  /** After a step: the map goes where the place is. */
  follow() {
    const place = document.getElementById("places")?.dataset ?? {};
    for (const name of ["latitude", "longitude"]) {
      const field = document.getElementById(`c-${name}`);
      if (!field || field.value === (place[name] ?? "")) continue;
      field.value = place[name] ?? "";
      field.dispatchEvent(new Event("change"));
    }
  }

  chosen({ text, latitude, longitude }) {
    const button = document.getElementById("from-map");
    const degrees = `${latitude.toFixed(6)},${longitude.toFixed(6)}`;
    button.value = `${degrees},${text || this.form.elements.address.value.trim() || degrees}`;
    button.click(); // not requestSubmit: htmx goes by the button that was clicked
  }
}
