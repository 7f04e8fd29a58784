/* Words of a contact that somebody else has now, which this browser kept because they never reached the server. */

const section = document.getElementById("left");
const place = `loop311.contact.${section.dataset.contact}`;
const wording = JSON.parse(section.dataset.wording);
const OURS = new Set(["tab", "version", "part", "shown", "photos", "language"]);

function kept() {
  try {
    return JSON.parse(localStorage.getItem(place)) ?? [];
  } catch {
    return [];
  }
}

const words = kept().filter(([name, value]) => !OURS.has(name) && String(value).trim());
for (const [name, value] of words) {
  const term = document.createElement("dt");
  term.textContent = wording.fields[name] ?? wording.other;
  const said = document.createElement("dd");
  said.textContent = wording.values[name]?.[value] ?? value;
  section.querySelector("dl").append(term, said);
}
section.hidden = words.length === 0;
section.querySelector("button").addEventListener("click", () => {
  localStorage.removeItem(place);
  section.hidden = true;
});
