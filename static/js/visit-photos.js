// Photos of one item: made smaller on the phone, sent one after the other, each under an id made here.

import { announce } from "app";
import { Offline, send, sentence, uuid } from "visit-api";

const LONGEST = 1600; // px; readable as evidence, a tenth of the bytes
const QUALITY = 0.8;

export class PhotoStrip {
  constructor(form, visit) {
    this.visit = visit;
    this.item = form.dataset.item;
    this.list = form.querySelector("[data-photos-list]");
    this.sample = form.querySelector("[data-photo-sample]");
    this.queue = Promise.resolve();
    this.waiting = 0;
    const input = form.querySelector("[data-photos-input]");
    input.addEventListener("change", () => {
      for (const file of input.files) this.add(file);
      input.value = "";
    });
    this.list.addEventListener("click", (event) => {
      const entry = event.target.closest("li");
      if (event.target.closest("[data-photo-remove]")) this.remove(entry);
      else if (event.target.closest("[data-photo-retry]")) this.enqueue(entry);
    });
  }

  get isPending() {
    return this.waiting > 0 || this.list.querySelector("li:not([data-photo])") !== null;
  }

  get ids() {
    return [...this.list.querySelectorAll("[data-photo]")].map((entry) => entry.dataset.photo);
  }

  add(file) {
    const entry = this.sample.content.firstElementChild.cloneNode(true);
    const url = URL.createObjectURL(file);
    entry.querySelector("img").src = url;
    entry.querySelector("img").alt = file.name;
    entry.querySelector("a").href = url;
    entry.file = file;
    entry.photo = uuid();
    this.list.append(entry);
    this.enqueue(entry);
  }

  enqueue(entry) {
    this.waiting += 1;
    show(entry, "等待上传");
    this.queue = this.queue.then(() => this.upload(entry)).finally(() => {
      this.waiting -= 1;
    });
  }

  async upload(entry) {
    if (!entry.isConnected) return; // removed while it waited
    show(entry, "上传中");
    // Kept, so that a second try sends the same bytes under the same id.
    entry.blob ??= await shrink(entry.file);
    const form = new FormData();
    form.append("item", this.item);
    form.append("file", entry.blob, entry.file.name);
    try {
      const answer = await send("PUT", `${this.visit.url}/photos/${entry.photo}`, { form });
      if (answer.status !== 200 && answer.status !== 201) return refuse(entry, sentence(answer));
      entry.dataset.photo = answer.body.id;
      entry.querySelector("a").href = answer.body.url;
      show(entry, "");
      this.visit.check();
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
      refuse(entry, `照片“${entry.file.name}”未上传：${error.message}。`);
    }
  }

  async remove(entry) {
    if (!entry.dataset.photo) return entry.remove();
    try {
      const answer = await send("DELETE", `${this.visit.url}/photos/${entry.dataset.photo}`);
      if (answer.status !== 204) return announce(sentence(answer), "error");
      entry.remove();
      this.visit.check();
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
      announce(`照片未移除：${error.message}。`, "error");
    }
  }
}

function show(entry, text) {
  entry.querySelector("[data-photo-state]").textContent = text;
  entry.querySelector("[data-photo-retry]").hidden = true;
}

function refuse(entry, text) {
  show(entry, "");
  entry.querySelector("[data-photo-retry]").hidden = false;
  announce(text, "error");
}

/** A JPEG of at most LONGEST pixels, the right way up; what the browser cannot read goes as it is. */
async function shrink(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file;
  }
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const smaller = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return smaller && smaller.size < file.size ? smaller : file;
}
