// Photos seen, and taken out again, before they are sent. Markup: templates/components/photo_input.html.
// Keeps the input's own files in step, so that an ordinary form posts what is shown,
// and dispatches `photos:change` with { name, files }.

export function attach(box) {
  if (box.dataset.photos === "ready") return;
  box.dataset.photos = "ready";
  const input = box.querySelector("input[type=file]");
  const list = box.querySelector("[data-photos-list]");
  const sample = box.querySelector("template");
  let files = [];

  function show() {
    for (const picture of list.querySelectorAll("img")) URL.revokeObjectURL(picture.src);
    list.replaceChildren(
      ...files.map((file) => {
        const entry = sample.content.firstElementChild.cloneNode(true);
        const picture = entry.querySelector("img");
        picture.src = URL.createObjectURL(file);
        picture.alt = file.name;
        entry.querySelector("button").addEventListener("click", () => {
          files = files.filter((other) => other !== file);
          settle();
          input.focus();
        });
        return entry;
      }),
    );
  }

  function settle() {
    const kept = new DataTransfer();
    for (const file of files) kept.items.add(file);
    input.files = kept.files;
    show();
    box.dispatchEvent(new CustomEvent("photos:change", { bubbles: true, detail: { name: input.name, files } }));
  }

  input.addEventListener("change", () => {
    files = input.multiple ? [...files, ...input.files] : [...input.files];
    settle();
  });
  input.form?.addEventListener("reset", () => {
    files = [];
    settle();
  });
}

export function attachAll(root = document) {
  for (const box of root.querySelectorAll("[data-photos]")) attach(box);
}

document.addEventListener("htmx:load", (event) => attachAll(event.detail.elt));
attachAll();
