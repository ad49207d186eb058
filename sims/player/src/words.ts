/** What the sim says about itself: loading phases, notices, errors, and the answer to a button. */

import type { Phase } from "./contract";
import { megabytes } from "./numbers";
import type { Failure } from "./python";

const NAMES: Record<Phase, string> = { runtime: "Python", numpy: "NumPy", engine: "engine", sim: "this sim" };
const ORDER: Phase[] = ["runtime", "numpy", "engine", "sim"];

export class Words {
  private phase: HTMLElement;
  private bar: HTMLElement;
  private phaseWords: HTMLElement;
  private noticeBox: HTMLElement;
  private errorBox: HTMLElement;
  private said: HTMLElement | null;
  private progress = new Map<Phase, { loaded: number; total: number }>();
  private notices = new Map<string, string>();
  private saidTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(root: HTMLElement) {
    const part = (name: string): HTMLElement => root.querySelector(`[data-part="${name}"]`) as HTMLElement;
    this.phase = part("phase");
    this.bar = this.phase.querySelector(".phase-bar") as HTMLElement;
    this.phaseWords = this.phase.querySelector(".phase-words") as HTMLElement;
    this.noticeBox = part("notice");
    this.errorBox = part("error");
    this.said = root.querySelector('[data-part="said"]');
  }

  /** Begin to report a load. */
  starting(): void {
    this.progress.clear();
    this.phase.hidden = false;
    this.phase.dataset["phase"] = "runtime";
    this.phaseWords.textContent = "Starting Python";
    this.bar.style.setProperty("--done", "0");
  }

  loading(phase: Phase, loaded: number, total: number): void {
    this.progress.set(phase, { loaded, total });
    const all = [...this.progress.values()];
    const sum = (key: "loaded" | "total"): number => all.reduce((n, p) => n + p[key], 0);
    this.bar.style.setProperty("--done", String(Math.min(1, sum("loaded") / Math.max(1, sum("total")))));
    const current = ORDER.find((p) => {
      const at = this.progress.get(p);
      return at !== undefined && at.loaded < at.total;
    });
    this.phase.dataset["phase"] = current ?? "sim";
    const at = current && (this.progress.get(current) as { loaded: number; total: number });
    this.phaseWords.textContent = at
      ? `Loading ${NAMES[current]}, ${megabytes(at.loaded)} of ${megabytes(at.total)} MB`
      : "Starting Python";
  }

  /** Say something in the phase's place, without a bar. */
  working(text: string, action?: { label: string; run: () => void }): void {
    this.phase.hidden = false;
    this.bar.style.setProperty("--done", "0");
    this.phaseWords.textContent = text;
    if (action) this.phaseWords.append(" ", button(action.label, action.run));
  }

  idle(): void {
    this.phase.hidden = true;
  }

  /** Set, or with null take away, the notice of one kind. */
  notice(kind: string, text: string | null): void {
    // Every moved slider takes notices away that mostly are not there.
    if ((this.notices.get(kind) ?? null) === text) return;
    if (text === null) this.notices.delete(kind);
    else this.notices.set(kind, text);
    this.noticeBox.textContent = [...this.notices.values()].join(" ");
    this.noticeBox.hidden = this.notices.size === 0;
  }

  /** Whether a notice of this kind stands. */
  notes(kind: string): boolean {
    return this.notices.has(kind);
  }

  /** The load failed: what, why, and a way to try again. */
  failed(failure: Failure, retry: () => void): void {
    this.idle();
    const reason = failure.message.replace(/\.$/, "");
    const line = paragraph(
      {
        load: `Python could not start: ${reason}. What is recorded still works.`,
        draw: `The live picture could not be drawn: ${reason}.`,
        python: `This sim's Python did not start: ${reason}. What is recorded still works.`,
        stopped: "Python was stopped. What is recorded still works.",
      }[failure.stage],
    );
    const again = button("Retry", retry);
    again.dataset["action"] = "retry";
    line.append(" ", again);
    this.fill(line, failure.trace);
  }

  /** The sim's Python raised: its last line, and the trace for who wants it. */
  raised(failure: Failure): void {
    const line = paragraph("The sim's Python stopped here; the picture is the last good one. ");
    const code = document.createElement("code");
    code.textContent = failure.message;
    line.append(code);
    this.fill(line, failure.trace);
  }

  noError(): void {
    this.errorBox.hidden = true;
    this.errorBox.replaceChildren();
  }

  /** Answer a button in words. */
  say(text: string): void {
    if (!this.said) return;
    this.said.textContent = text;
    clearTimeout(this.saidTimer);
    this.saidTimer = setTimeout(() => this.said?.replaceChildren(), 6000);
  }

  private fill(line: HTMLElement, trace: string): void {
    this.errorBox.replaceChildren(line);
    if (trace) {
      const details = document.createElement("details");
      const summary = document.createElement("summary");
      const text = document.createElement("pre");
      summary.textContent = "The whole trace";
      text.textContent = trace;
      text.tabIndex = 0;
      details.append(summary, text);
      this.errorBox.append(details);
    }
    this.errorBox.hidden = false;
  }
}

function paragraph(text: string): HTMLParagraphElement {
  const p = document.createElement("p");
  p.textContent = text;
  return p;
}

function button(label: string, run: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "plain";
  made.textContent = label;
  made.addEventListener("click", run);
  return made;
}
