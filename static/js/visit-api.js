// The form's requests: JSON or a file, with the CSRF token, and answers told apart from a dead line.

import { csrfToken } from "app";

// A line that carries nothing must not hold an item for ever; a photo may take its time.
const PATIENCE = 20_000;
const PATIENCE_FILE = 180_000;

/** What the line did not carry: try again later, the same request under the same id. */
export class Offline extends Error {}

/** An id made here. `crypto.randomUUID` exists on https and localhost only. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Send and return { status, body, etag }. Throws Offline when no answer came, or the server is down. */
export async function send(method, url, { json, form, etag } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (etag) headers["If-None-Match"] = etag;
  let response;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: json !== undefined ? JSON.stringify(json) : form,
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(form ? PATIENCE_FILE : PATIENCE),
    });
  } catch {
    throw new Offline("网络不通");
  }
  if (response.status >= 500) throw new Offline("服务器暂时没有应答");
  const isJson = response.headers.get("Content-Type")?.includes("json");
  const body = isJson ? await response.json() : null;
  return { status: response.status, body, etag: response.headers.get("ETag") };
}

/** One sentence for a refusal. */
export function sentence(answer) {
  if (answer.status === 401) return "登录已失效，请在新页面登录后重试。";
  return answer.body?.detail ?? "操作未成功，请稍后再试。";
}
