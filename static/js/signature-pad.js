// Signatures on the screen. Markup: templates/components/signature_pad.html.
// Writes a PNG data URL to the hidden input and dispatches `signature:change`
// with { name, blank, blob } whenever a stroke ends or the pad is cleared.

const INK = "#16130f";
const WIDTH = 3.2;

function toBlob(canvas) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

export function attach(pad) {
  if (pad.dataset.signature === "ready") return;
  pad.dataset.signature = "ready";
  const canvas = pad.querySelector("canvas");
  const input = pad.querySelector("[data-signature-value]");
  const state = pad.querySelector("[data-signature-state]");
  const unsigned = state.textContent;
  const pen = canvas.getContext("2d");
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = pen.fillStyle = INK;
  let last = null;

  /** Where the pointer is, in the canvas's own pixels. */
  function point(event) {
    const box = canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) * canvas.width) / box.width,
      y: ((event.clientY - box.top) * canvas.height) / box.height,
      width: WIDTH * (event.pointerType === "pen" && event.pressure ? 0.5 + event.pressure : 1),
    };
  }

  function draw(to) {
    pen.lineWidth = to.width;
    pen.beginPath();
    pen.moveTo(last.x, last.y);
    pen.lineTo(to.x, to.y);
    pen.stroke();
    last = to;
  }

  async function tell(blank) {
    input.value = blank ? "" : canvas.toDataURL("image/png");
    state.textContent = blank ? unsigned : "已签名";
    pad.classList.toggle("is-signed", !blank);
    const blob = blank ? null : await toBlob(canvas);
    pad.dispatchEvent(new CustomEvent("signature:change", { bubbles: true, detail: { name: input.name, blank, blob } }));
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    last = point(event);
    draw({ ...last, x: last.x + 0.1 }); // a dot counts too
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last || !event.isPrimary) return;
    const strokes = event.getCoalescedEvents?.() ?? [];
    for (const part of strokes.length ? strokes : [event]) draw(point(part));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (!last || !event.isPrimary) return;
      last = null;
      tell(false);
    });
  }
  pad.querySelector("[data-signature-clear]").addEventListener("click", () => {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    tell(true);
  });
}

export function attachAll(root = document) {
  for (const pad of root.querySelectorAll("[data-signature]")) attach(pad);
}

document.addEventListener("htmx:load", (event) => attachAll(event.detail.elt));
attachAll();
