/** Explorers and timelines: a frame is a pure function of the controls. */

import type { Driver, Host } from "./driver";
import { forPython } from "./driver";
import { fromWorker } from "./frames";
import type { Found } from "./recorded";
import { inWords, same } from "./state";

export class Explorer implements Driver {
  readonly index = 0;
  private turn = 0;

  constructor(private host: Host) {}

  changed(): Promise<boolean> {
    return this.show();
  }

  renewed(): Promise<boolean> {
    return this.show();
  }

  show(): Promise<boolean> {
    const turn = ++this.turn;
    return this.host.python.status === "ready" ? this.fromPython() : this.fromRecorded(turn);
  }

  private async fromPython(): Promise<boolean> {
    const { host } = this;
    const state = { ...host.state };
    const answer = await host.python.frame(forPython(state));
    if (answer.kind === "error") {
      host.raised(answer.failure);
      return false;
    }
    // A dropped request has a newer one behind it, which will draw.
    if (answer.kind !== "frame" || answer.meta === null) return true;
    const frame = fromWorker(answer.meta, answer.buffers, host.images);
    host.note(null);
    await host.draw(frame, state, "python", 0);
    return true;
  }

  private async fromRecorded(turn: number): Promise<boolean> {
    const { host } = this;
    const found = await host.recorded.find(host.state).catch(() => null);
    if (turn !== this.turn) return true;
    host.note(found?.exact ? null : this.instead(found));
    if (!found) return false;
    await host.draw(found.frame, found.state, "recorded", 0);
    return true;
  }

  /** What is shown instead of the state that was asked for, and what becomes of that. */
  private instead(found: Found | null): string {
    const { spec, state, python } = this.host;
    const coming = {
      idle: " until you touch the sim and Python starts.",
      starting: " until Python is ready.",
      ready: ".",
      failed: "; the exact one needs Python.",
    }[python.status];
    if (!found) return `The picture stays as it is${coming}`;
    const differ = spec.controls.filter((c) => !c.chart && !same(state[c.name], found.state[c.name]));
    return `Showing the recorded ${inWords(spec, found.state, differ.map((c) => c.name))}${coming}`;
  }
}
