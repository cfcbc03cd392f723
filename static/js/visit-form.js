// The one form on site: every item saves itself, and what others write appears by itself.

import { announce } from "app";
import { Offline, send, sentence } from "visit-api";
import { ItemEditor } from "visit-item";
import { PhotoStrip } from "visit-photos";

const EVERY = 4000;

class Visit {
  constructor(root) {
    this.root = root;
    this.url = root.dataset.visit;
    this.state = root.dataset.state;
    this.signatures = Number(root.dataset.signatures);
    this.editors = new Map();
    this.strips = new Map();
    this.etag = "";
    this.checking = false;
    this.isOpen = this.state === "ASSIGNED" || this.state === "UNDER_WAY";
    for (const form of root.querySelectorAll("form[data-writable]")) this.attach(form);
    this.count();
  }

  attach(form) {
    this.editors.set(Number(form.dataset.item), new ItemEditor(form, this));
    this.strips.set(Number(form.dataset.item), new PhotoStrip(form, this));
  }

  get isPending() {
    return [...this.editors.values(), ...this.strips.values()].some((part) => part.isPending);
  }

  saved() {
    this.count();
    this.check();
  }

  /** Ask what changed, and show it. */
  async check() {
    if (!this.isOpen || this.checking) return;
    this.checking = true;
    try {
      const answer = await send("GET", this.url, { etag: this.etag });
      if (answer.status === 200) {
        await this.show(answer.body);
        this.etag = answer.etag;
      } else if (answer.status !== 304) {
        this.isOpen = answer.status !== 401 && answer.status !== 404;
        if (!this.isOpen) announce(sentence(answer), "error");
      }
    } catch (error) {
      if (!(error instanceof Offline)) throw error; // the next round tries again
    } finally {
      this.checking = false;
    }
  }

  async show(sheet) {
    if (sheet.state === "SUBMITTED" || sheet.state === "CANCELLED") return location.reload();
    if (this.signatures && !sheet.signatures) {
      announce("表单内容有变更，原有签名已作废，提交前须重新签名。", "warning");
    }
    this.signatures = sheet.signatures;
    const chip = document.querySelector("[data-task-state] > :first-child");
    if (sheet.state !== this.state && chip) chip.textContent = sheet.label;
    this.state = sheet.state;
    for (const part of sheet.departments) showProgress(part.department, part.done, part.total);
    const total = (name) => sheet.departments.reduce((sum, part) => sum + part[name], 0);
    showProgress("all", total("done"), total("total"));
    for (const item of sheet.items) {
      if (this.isOld(item)) await this.reload(item.item);
    }
  }

  /** Whether the page shows another version of this item than the server has, and may replace it. */
  isOld(item) {
    const form = document.getElementById(`item-${item.item}`);
    if (!form) return false;
    const editor = this.editors.get(item.item);
    const strip = this.strips.get(item.item);
    if (editor?.isPending || strip?.isPending || (editor && form.contains(document.activeElement))) return false;
    const shown = [...form.querySelectorAll("[data-photo]")].map((entry) => entry.dataset.photo);
    const rev = editor ? editor.rev : Number(form.dataset.rev);
    return rev !== item.rev || shown.join() !== item.photos.map((photo) => photo.id).join();
  }

  /** Replace one item with what the server shows of it now. */
  async reload(item) {
    const old = document.getElementById(`item-${item}`);
    let response;
    try {
      response = await fetch(old.dataset.href, { credentials: "same-origin", cache: "no-store" });
    } catch {
      return; // shown at the next check
    }
    if (!response.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = document.importNode(page.querySelector("form[data-item]"), true);
    fresh.querySelector("[data-guide]").open = old.querySelector("[data-guide]").open;
    old.replaceWith(fresh);
    if ("writable" in fresh.dataset) this.attach(fresh);
    this.count();
  }

  /** The items this phone has still to fill in, in the page's order. */
  get open() {
    return [...this.root.querySelectorAll("form[data-writable]")].filter((form) => {
      const editor = this.editors.get(Number(form.dataset.item));
      return !form.dataset.value || editor?.isDirty;
    });
  }

  count() {
    const button = document.querySelector("[data-next]");
    if (!button || !this.editors) return;
    const left = this.open.length;
    button.disabled = left === 0;
    button.querySelector("[data-next-count]").textContent = left ? `（${left}）` : "";
  }

  next() {
    const forms = this.open;
    const below = forms.find((form) => form.getBoundingClientRect().top > 120);
    const form = below ?? forms[0];
    if (!form) return;
    form.scrollIntoView({ block: "start" });
    form.querySelector("input").focus({ preventScroll: true });
  }
}

function showProgress(key, done, total) {
  for (const box of document.querySelectorAll(`[data-progress="${CSS.escape(key)}"]`)) {
    const bar = box.querySelector("progress");
    bar.max = total || 1;
    bar.value = done;
    const text = box.querySelector(".progress__text");
    const label = text.querySelector(".progress__label");
    const share = document.createElement("span");
    share.className = "muted";
    share.textContent = `（${total ? Math.floor((done * 100) / total) : 0}%）`;
    text.replaceChildren(...(label ? [label] : []), `${done} / ${total} 项`, share);
  }
  for (const link of document.querySelectorAll(`[data-part-link="${CSS.escape(key)}"]`)) {
    link.querySelector("[data-part-count]").textContent = `${done}/${total}`;
    link.classList.toggle("is-done", done === total);
  }
}

const root = document.querySelector("[data-visit]");
if (root) {
  const visit = new Visit(root);
  document.querySelector("[data-next]")?.addEventListener("click", () => visit.next());
  setInterval(() => {
    if (!document.hidden) visit.check();
  }, EVERY);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) visit.check();
  });
  window.addEventListener("beforeunload", (event) => {
    if (visit.isPending) event.preventDefault();
  });
}
