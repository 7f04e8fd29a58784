/* Answers by keyboard: Alt and / go to the question, arrows go through the answers, hits appear while one types. Works without it, too. */

const form = document.querySelector("form[data-ask]");
const question = form?.elements.q;

function links() {
  return [...document.querySelectorAll("#hits .hit__link")];
}

function move(step) {
  const all = links();
  const at = all.indexOf(document.activeElement);
  const next = at < 0 && step < 0 ? null : all[at + step];
  (next ?? (at + step < 0 ? question : null))?.focus();
}

function pressed(event) {
  if (event.altKey && event.code === "Slash") {
    event.preventDefault();
    question.select();
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const onList = event.target === question || event.target.closest("#hits");
  if (onList && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  }
  if (event.key === "Escape" && event.target.closest("#hits")) question.select();
}

/** The address says what is shown, so that going back finds it again. */
function remember(event) {
  if (event.detail.elt !== form || !event.detail.successful) return;
  history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(new FormData(form))}`);
}

if (form) {
  document.addEventListener("keydown", pressed);
  document.body.addEventListener("htmx:afterRequest", remember);
}
