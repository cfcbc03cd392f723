// The live tick board: what arrives from others never takes away what is being written or decided here.

/** Whether somebody is typing in this piece, or choosing between two values. */
function isBusy(piece) {
  if (piece.matches("[data-choice]") || piece.querySelector("[data-choice], dialog[open]")) return true;
  const field = document.activeElement;
  return piece.contains(field) && field.matches("input[type=text], textarea") && field.value !== field.defaultValue;
}

// A piece passed over keeps its old revision: it comes again with the next poll, and saving it asks first.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (isBusy(event.detail.target)) event.detail.shouldSwap = false;
});

// What was saved is no longer being written.
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful, requestConfig } = event.detail;
  if (successful && elt.matches("form.item")) elt.elements.note.defaultValue = requestConfig.formData.get("note");
});
