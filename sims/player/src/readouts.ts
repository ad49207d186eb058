/** The numbers, the formula's slots and the sentence of a frame. */

import type { Frame } from "./contract";
import { printed } from "./numbers";

export class Readouts {
  private outputs = new Map<string, HTMLOutputElement>();
  private slots: HTMLElement[];
  private sentence: HTMLElement;

  constructor(root: HTMLElement) {
    for (const output of root.querySelectorAll<HTMLOutputElement>(".readouts output")) {
      this.outputs.set(output.name, output);
    }
    this.slots = [...root.querySelectorAll<HTMLElement>("[data-slot]")];
    const formula = root.querySelector<HTMLElement>(".formula");
    // What scrolls must be reachable by keyboard.
    if (formula && formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    this.sentence = root.querySelector('[role="status"]') as HTMLElement;
    this.keepRoom();
  }

  show(frame: Frame): void {
    for (const [name, { value, digits }] of Object.entries(frame.readouts)) {
      const output = this.outputs.get(name);
      if (!output) continue;
      output.textContent = printed(value, digits);
      output.dataset["value"] = value === null ? "" : String(value);
    }
    for (const slot of this.slots) {
      const readout = frame.readouts[slot.dataset["slot"] as string];
      if (readout) slot.textContent = printed(readout.value, readout.digits);
    }
    if (this.sentence.textContent !== frame.alt) this.sentence.textContent = frame.alt;
  }

  /** A sentence every tenth of a second is noise to who listens: silence while the sim plays. */
  quiet(playing: boolean): void {
    this.sentence.setAttribute("aria-live", playing ? "off" : "polite");
  }

  /** A sentence one line shorter must not pull up what stands under it: its room only grows. */
  private keepRoom(): void {
    let [width, room] = [0, 0];
    new ResizeObserver(() => {
      if (this.sentence.clientWidth !== width) {
        width = this.sentence.clientWidth;
        room = 0;
        this.sentence.style.minHeight = "";
      }
      if (this.sentence.clientHeight <= room) return;
      room = this.sentence.clientHeight;
      this.sentence.style.minHeight = `${room}px`;
    }).observe(this.sentence);
  }
}
