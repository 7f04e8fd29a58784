/* Passkeys: allauth's own script does the work; this says which form is which, and speaks when a key gave no answer. */
const form = document.querySelector("[data-passkey]");
const said = form?.querySelector("[data-passkey-error]");

function begin() {
  const ids = { credential: "passkey-credential", [form.dataset.passkey]: "passkey-go" };
  if (form.dataset.passkey === "add") ids.passwordless = "id_passwordless";
  if (form.dataset.options) ids.data = form.dataset.options;
  window.allauth.webauthn.forms[`${form.dataset.passkey}Form`]({ ids });
  form.hidden = false;
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  said.hidden = false;
});

if (form && window.PublicKeyCredential && window.allauth) begin();
