// A secret made on this machine: only its commitment is sent (inspections/draws/seeds.py says why).

import { sha256 } from "sha256";

for (const form of document.querySelectorAll("[data-secret-form]")) {
  const part = (name) => form.querySelector(`[data-secret-${name}]`);
  const make = part("make");
  make.hidden = false;
  make.addEventListener("click", () => {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const secret = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const shown = form.querySelector("[data-secret]");
    shown.value = secret;
    form.elements.commitment.value = sha256([form.dataset.roster, form.dataset.party, secret].join("\n"));
    part("made").hidden = false;
    part("choice").hidden = true;
    shown.focus();
    shown.select();
  });
  part("kept").addEventListener("change", (event) => {
    part("send").disabled = !event.target.checked;
  });
}
