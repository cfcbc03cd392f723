// Enhancements of every page. Listeners sit on the document, so that what HTMX swaps in works too.

/** Show a sentence at the top of the page; level: success, info, warning or error. */
export function announce(text, level = "info") {
  const region = document.getElementById("messages");
  if (!region) return;
  const message = document.getElementById("message-template").content.firstElementChild.cloneNode(true);
  message.classList.add(`message--${level}`);
  message.querySelector("p").textContent = text;
  region.append(message);
  message.scrollIntoView({ block: "nearest" });
}

export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
}

export function csrfToken() {
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie ? decodeURIComponent(cookie.slice("csrftoken=".length)) : "";
}

// --- Clicks ------------------------------------------------------------------------

const onClick = {
  dialog: (button) => openDialog(button.dataset.dialog),
  dialogClose: (button) => button.closest("dialog").close(),
  print: () => window.print(),
  dismiss: (button) => button.closest(".message").remove(),
  back: () => (history.length > 1 ? history.back() : location.assign("/")),
  toggle(button) {
    const open = document.getElementById(button.dataset.toggle).classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(open));
  },
  async copy(button) {
    if (!navigator.clipboard) return; // plain http: the whole value is in the title
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 2000);
  },
};

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const button = event.target.closest("button");
  if (!button) return;
  for (const [name, act] of Object.entries(onClick)) {
    if (name in button.dataset) act(button);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A form is sent once: a second click before the answer does nothing. One answered by a file leaves the
// page as it is, and may be sent again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || form.hasAttribute("hx-post")) return;
  if ("download" in form.dataset) {
    form.closest("dialog")?.close();
    return;
  }
  if ("sent" in form.dataset) event.preventDefault();
  else form.dataset.sent = "";
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// --- Ticking many rows ---------------------------------------------------------------

function boxes(name) {
  return [...document.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(name)}"]:not(:disabled)`)];
}

function countSelected(name) {
  const all = boxes(name);
  const ticked = all.filter((box) => box.checked).length;
  for (const head of document.querySelectorAll(`[data-select-all="${CSS.escape(name)}"]`)) {
    head.checked = all.length > 0 && ticked === all.length;
    head.indeterminate = ticked > 0 && ticked < all.length;
  }
  for (const output of document.querySelectorAll(`[data-selected-count="${CSS.escape(name)}"]`)) {
    output.textContent = String(ticked);
  }
}

document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.type !== "checkbox") return;
  const name = box.dataset.selectAll;
  if (name) for (const other of boxes(name)) other.checked = box.checked;
  countSelected(name || box.name);
});

// --- Filters that send themselves -------------------------------------------------------

const SENDS_AT_ONCE = "select, input[type=checkbox], input[type=radio], input[type=date]";
let typing;

function sendFilters(form) {
  clearTimeout(typing);
  form.requestSubmit();
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (form && event.target.matches(SENDS_AT_ONCE)) sendFilters(form);
});

// Text waits for Enter unless HTMX swaps the results beside it: a page load would take the cursor away.
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-autosubmit][hx-get]");
  if (!form || event.isComposing || event.target.matches(SENDS_AT_ONCE)) return;
  clearTimeout(typing);
  typing = setTimeout(sendFilters, 500, form);
});

// Empty filters stay out of the address.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("form[data-autosubmit]")) return;
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});

// --- HTMX -----------------------------------------------------------------------------------

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrfToken();
});

/** A whole page must never land inside a fragment: a refusal becomes a message, a login a reload. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, boosted, requestConfig } = event.detail;
  if (boosted || !/^\s*<!doctype html/i.test(xhr.responseText)) return;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const part = requestConfig.elt.getAttribute("hx-select");
  if (part && page.querySelector(part)) return; // the element asked for a part of a page
  event.detail.shouldSwap = false;
  const refusal = page.querySelector("[data-refusal]");
  if (refusal) announce(refusal.textContent.trim(), "error");
  else if (xhr.status < 400) location.reload();
});

document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if (/data-refusal/.test(responseText)) return; // said in beforeSwap
  if (status === 401) location.reload();
  else if (status === 404) announce("该内容已被移除，或者您无权查看。", "error");
  else announce("操作未成功，请稍后再试。", "error");
});

document.addEventListener("htmx:sendError", (event) => {
  const polls = event.detail.elt.getAttribute("hx-trigger")?.includes("every");
  if (!polls) announce("网络不通，操作未发送。请检查网络后再试。", "error");
});

function settle(root) {
  const summary = root.querySelector("[data-error-summary]");
  if (summary) summary.focus();
  const names = new Set([...root.querySelectorAll("[data-select-all]")].map((head) => head.dataset.selectAll));
  for (const name of names) countSelected(name);
}

document.addEventListener("htmx:afterSettle", (event) => settle(event.detail.elt));
settle(document);
