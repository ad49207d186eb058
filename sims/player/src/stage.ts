/** What is on the screen: the last frame, drawn one at a time, and the public handles that tell of it. */

import type { Frame, Spec, State, Value } from "./contract";
import { fromBuild } from "./frames";
import type { Panels } from "./panels";
import type { Readouts } from "./readouts";
import { defaults, queryOf } from "./state";

export type Status = "painted" | "baked" | "starting" | "live" | "failed";

export interface Shown {
  frame: Frame;
  state: State;
  from: "recorded" | "python";
  /** A process's step. */
  index: number;
}

export class Stage {
  private shown: Shown;
  private waiting: (() => void) | null = null;
  private drawing = false;
  private drawings = 0;

  /**
   * @param state the state that the controls show; its drawing controls apply to whatever frame is shown.
   * @param onFailure is told why a frame could not be drawn.
   */
  constructor(
    private root: HTMLElement,
    private spec: Spec,
    private state: State,
    private panels: Panels,
    private readouts: Readouts,
    private onFailure: (message: string) => void,
  ) {
    this.shown = { frame: fromBuild(spec.frame), state: defaults(spec), from: "recorded", index: 0 };
    root.dataset["drawn"] = "";
    root.dataset["frame"] = "0";
  }

  get status(): Status {
    return this.root.dataset["state"] as Status;
  }

  set status(status: Status) {
    this.root.dataset["state"] = status;
  }

  /** Get ready to draw: what is shown now, or soon after. */
  prepare(): void {
    this.panels.prepare(this.shown.frame, this.merged());
  }

  draw(shown: Shown): Promise<void> {
    this.shown = shown;
    return this.redraw();
  }

  async retheme(): Promise<void> {
    if (this.panels.forget()) await this.redraw();
  }

  /** Draw what is to be shown; while a drawing runs, only the newest of those that come waits. */
  async redraw(): Promise<void> {
    if (this.drawing) {
      this.waiting?.();
      return new Promise((settle) => (this.waiting = settle));
    }
    this.drawing = true;
    try {
      await this.drawOnce();
    } finally {
      this.drawing = false;
      const { waiting } = this;
      this.waiting = null;
      if (waiting) void this.redraw().then(waiting);
    }
  }

  /** The shown state, with the drawing controls as the reader has them. */
  private merged(): State {
    const state = { ...this.shown.state };
    for (const c of this.spec.controls) if (c.chart) state[c.name] = this.state[c.name] as Value;
    return state;
  }

  private async drawOnce(): Promise<void> {
    const { frame, from, index } = this.shown;
    const state = this.merged();
    try {
      await this.panels.show(frame, state);
    } catch (error) {
      this.status = "failed";
      this.onFailure(error instanceof Error ? error.message : String(error));
      return;
    }
    this.readouts.show(frame);
    if (from === "python") this.status = "live";
    else if (this.status === "painted") this.status = "baked";
    this.root.dataset["drawn"] = queryOf(this.spec, state, index);
    this.root.dataset["frame"] = String(++this.drawings);
  }
}
