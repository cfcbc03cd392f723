// A table pasted into a textarea brings its HTML along, which still knows the merged cells.

for (const area of document.querySelectorAll("textarea[data-paste-table]")) {
  const hidden = area.form.elements[area.dataset.pasteTable];
  const note = document.getElementById("paste-note");
  let pasting = false;

  const keep = (html) => {
    hidden.value = html;
    note.hidden = html === "";
  };

  area.addEventListener("paste", (event) => {
    const html = event.clipboardData?.getData("text/html") ?? "";
    pasting = true;
    keep(/<table/i.test(html) ? html : "");
  });
  area.addEventListener("input", () => {
    // What is typed afterwards is not in the HTML any more.
    if (!pasting) keep("");
    pasting = false;
  });
}
