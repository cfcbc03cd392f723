// One item of the form: what is filled in, whether it is complete, and saving it.
// Every save is an operation under an id made here. An operation whose answer was lost is sent again
// as it was, before anything newer, so that the server writes it once.

import { Offline, send, sentence, uuid } from "visit-api";

const DELAY_TYPING = 1200;
const RETRY = [2000, 4000, 8000, 15000, 30000];

export class ItemEditor {
  constructor(form, visit) {
    this.form = form;
    this.visit = visit;
    this.item = Number(form.dataset.item);
    this.rev = Number(form.dataset.rev);
    this.sending = null; // the operation on its way: { id, body, text }
    this.busy = false;
    this.failures = 0;
    this.touched = false;
    this.held = false; // a conflict waits for the officer's choice
    this.timer = 0;
    this.saved = this.read().text;
    form.querySelector("[data-fields]").disabled = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", (event) => this.changed(event, 0));
    form.addEventListener("input", (event) => this.changed(event, DELAY_TYPING));
    this.one("[data-save-retry]").addEventListener("click", () => this.flush());
    this.one("[data-keep-theirs]").addEventListener("click", () => this.visit.reload(this.item));
    this.one("[data-keep-mine]").addEventListener("click", () => this.keepMine());
    this.layOut();
  }

  one(selector) {
    return this.form.querySelector(selector);
  }

  get value() {
    return this.one(`input[name="value-${this.item}"]:checked`)?.value ?? "";
  }

  get isDirty() {
    return this.touched && this.read().text !== this.saved;
  }

  get isPending() {
    return this.busy || this.sending !== null || this.held || this.isDirty;
  }

  /** What is filled in, as the server takes it; `problem` says what is still missing. */
  read() {
    const body = { item: this.item, value: this.value, note: this.one("[data-note]").value.trim(), findings: [] };
    let problem = body.value ? "" : "请选择检查结果";
    if (body.value === "NON_COMPLIANT") {
      for (const row of this.form.querySelectorAll("[data-row]")) {
        if (!row.querySelector("[data-row-check]").checked) continue;
        const finding = readFinding(row);
        body.findings.push(finding);
        problem ||= missing(finding);
      }
      body.findings.sort((a, b) => a.row - b.row);
      if (!body.findings.length) problem = "请选择对应的处罚事项";
    }
    return { body, problem, text: JSON.stringify(body) };
  }

  changed(event, delay) {
    if (event.target.matches("[data-photos-input]")) return;
    this.touched = true;
    if (event.target.name === `value-${this.item}`) this.choseValue();
    this.layOut();
    this.clearErrors();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), delay);
    if (!this.busy) this.tell();
  }

  /** With a single matrix row there is nothing to choose. */
  choseValue() {
    const checks = this.form.querySelectorAll("[data-row-check]");
    if (this.value === "NON_COMPLIANT" && checks.length === 1) checks[0].checked = true;
  }

  layOut() {
    this.one("[data-rows]").hidden = this.value !== "NON_COMPLIANT";
    for (const row of this.form.querySelectorAll("[data-row]")) {
      const disposition = picked(row, "disposition");
      row.querySelector("[data-finding]").hidden = !row.querySelector("[data-row-check]").checked;
      row.querySelector("[data-days-field]").hidden = disposition !== "RECTIFICATION";
      row.querySelector("[data-route]").hidden = disposition !== "REFERRAL";
    }
  }

  /** Send what is not saved yet, one operation after the other. */
  async flush() {
    clearTimeout(this.timer);
    if (this.busy || this.held) return;
    this.busy = true;
    try {
      while (this.sending || this.isDirty) {
        if (!this.sending) {
          const { body, problem, text } = this.read();
          if (problem) break;
          this.sending = { id: uuid(), body: { ...body, base_rev: this.rev }, text };
        }
        this.say("saving", "保存中");
        const answer = await send("PUT", `${this.visit.url}/answers/${this.sending.id}`, { json: this.sending.body });
        this.failures = 0;
        if (!this.settle(answer)) return;
      }
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
      this.failed(error.message);
      return;
    } finally {
      this.busy = false;
    }
    this.tell();
    this.visit.saved(this);
  }

  /** Take in the server's answer; false when something has to be done by hand first. */
  settle(answer) {
    const { text } = this.sending;
    if (answer.status === 401) {
      this.say("failed", sentence(answer), true);
      return false;
    }
    this.sending = null;
    if (answer.status === 200) {
      this.rev = answer.body.rev;
      this.saved = text;
      this.form.dataset.value = answer.body.value;
      return true;
    }
    if (answer.status === 409 && answer.body?.code === "stale") return this.conflict(answer.body.current);
    this.showErrors(answer.body?.fields ?? {});
    this.say("refused", `未保存：${sentence(answer)}`, true);
    if (answer.body?.code === "closed") this.visit.check();
    return false;
  }

  failed(why) {
    const delay = RETRY[Math.min(this.failures, RETRY.length - 1)];
    this.failures += 1;
    this.say("failed", `未保存：${why}，${delay / 1000} 秒后重试`, true);
    this.timer = setTimeout(() => this.flush(), delay);
  }

  conflict(current) {
    const { value, note, findings } = current;
    const theirs = JSON.stringify({
      item: this.item,
      value,
      note,
      findings: findings
        .map(({ row, severity, disposition, days, fact }) => ({ row, severity, disposition, days, fact }))
        .sort((a, b) => a.row - b.row),
    });
    if (theirs === this.read().text) {
      this.rev = current.rev;
      this.saved = theirs;
      this.form.dataset.value = value;
      return true;
    }
    this.held = true;
    this.current = current;
    this.one("[data-conflict-text]").textContent =
      `${current.answered_by}已将本项填为“${current.label}”${current.note ? `（${current.note}）` : ""}，与您填的不同。`;
    this.one("[data-conflict]").hidden = false;
    this.say("refused", "未保存：请选择保留哪一个结果");
    return false;
  }

  keepMine() {
    this.rev = this.current.rev;
    this.held = false;
    this.saved = "";
    this.one("[data-conflict]").hidden = true;
    this.flush();
  }

  clearErrors() {
    for (const error of this.form.querySelectorAll("[data-row-error]")) error.hidden = true;
  }

  showErrors(fields) {
    for (const [name, message] of Object.entries(fields)) {
      const [, row] = name.match(/^findings\.(\d+)\./) ?? [];
      const error = row && this.form.querySelector(`[data-row="${row}"] [data-row-error]`);
      if (!error) continue;
      error.textContent = message;
      error.hidden = false;
    }
  }

  /** Say where the item stands when nothing is on its way. */
  tell() {
    const { problem } = this.read();
    if (!this.isDirty) {
      if (this.form.dataset.value) this.say("saved", "已保存");
      else this.say("", "未填写");
    } else if (problem) this.say("incomplete", `未保存：${problem}`);
    else this.say("unsaved", "未保存");
    this.visit.count();
  }

  say(state, text, retry = false) {
    this.one("[data-save]").dataset.save = state;
    this.one("[data-save-text]").textContent = text;
    this.one("[data-save-retry]").hidden = !retry;
  }
}

function picked(row, name) {
  return row.querySelector(`input[name="${name}-${row.dataset.row}"]:checked`)?.value ?? "";
}

function readFinding(row) {
  const disposition = picked(row, "disposition");
  const days = Number.parseInt(row.querySelector("[data-days]").value, 10);
  return {
    row: Number(row.dataset.row),
    severity: picked(row, "severity"),
    disposition,
    days: disposition === "RECTIFICATION" && Number.isInteger(days) ? days : null,
    fact: row.querySelector("[data-fact]").value.trim(),
  };
}

function missing(finding) {
  if (!finding.severity) return "请选择严重程度";
  if (!finding.disposition) return "请选择处置方式";
  if (finding.disposition === "RECTIFICATION" && !(finding.days >= 1 && finding.days <= 365)) {
    return "整改天数应为 1 至 365 天";
  }
  return finding.fact ? "" : "请写明发现的事实";
}
