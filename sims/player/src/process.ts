/** Processes: frames come one after the other; those that came are kept, so that scrubbing goes back. */

import type { Frame } from "./contract";
import type { Driver, Host } from "./driver";
import { forPython } from "./driver";
import { fromWorker } from "./frames";
import type { Track } from "./transport";
import type { Words } from "./words";

/** A replay shorter than this is over before its message could be read. */
const WORTH_A_WORD = 60;

export class Process implements Driver, Track {
  readonly first = 0;
  readonly fps = 12;
  index = 0;
  /** Where the reader wants to be; ahead of `index` while frames are missing. */
  private target: number;
  private frames: Frame[] = [];
  private ended = false;
  /** How many of `frames` came from the Python that now runs; -1 when it has not been started. */
  private pulled = -1;
  private generation = 0;
  private pulling: Promise<void> = Promise.resolve();

  /**
   * @param onMove is told of every new index, and of the last known one.
   * @param index where to begin: the `frame` of the URL.
   */
  constructor(
    private host: Host,
    private words: Words,
    private onMove: (index: number, known: number, ended: boolean) => void,
    index: number,
  ) {
    this.target = index;
  }

  get last(): number | null {
    return this.ended ? this.frames.length - 1 : null;
  }

  show(): Promise<boolean> {
    return this.go(this.target);
  }

  changed(): Promise<boolean> {
    this.forget();
    return this.go(0);
  }

  renewed(): Promise<boolean> {
    this.forget();
    return this.go(this.target);
  }

  async go(index: number): Promise<boolean> {
    const { host, generation } = this;
    this.target = index;
    if (this.frames.length === 0 && host.python.status !== "ready") await this.recall(generation);
    if (!this.has(index)) {
      if (host.python.status === "starting") {
        host.note(`Step ${index} was not recorded. It comes when Python is ready.`);
        await this.nearest(index);
        await host.python.settled();
      }
      if (generation !== this.generation) return true;
      if (host.python.status !== "ready") return this.without(index);
      await this.pullTo(index, generation);
    }
    if (generation !== this.generation) return true;
    const reached = Math.min(index, this.frames.length - 1);
    if (reached < 0) return false;
    host.note(reached < index && this.ended ? `The process ends at step ${reached}.` : null);
    await this.draw(reached);
    return reached === index;
  }

  private forget(): void {
    this.generation++;
    this.frames = [];
    this.ended = false;
    this.pulled = -1;
    this.index = 0;
  }

  /** With Python ready its own frames are wanted; before, the recorded ones will do. */
  private has(index: number): boolean {
    return this.host.python.status === "ready" ? index < this.pulled || (this.ended && this.pulled > 0) : index < this.frames.length;
  }

  private async recall(generation: number): Promise<void> {
    const frames = await this.host.recorded.steps(this.host.state).catch(() => []);
    if (generation === this.generation && this.pulled < 0) this.frames = frames;
  }

  private async without(index: number): Promise<boolean> {
    const why = this.host.python.status === "failed" ? "needs Python, which did not start" : "comes when you touch the sim and Python starts";
    this.host.note(this.frames.length > 0 ? `Step ${index} ${why}.` : `These settings were not recorded; their picture ${why}.`);
    await this.nearest(index);
    return false;
  }

  private async nearest(index: number): Promise<void> {
    if (this.frames.length > 0) await this.draw(Math.min(index, this.frames.length - 1));
  }

  private async draw(index: number): Promise<void> {
    const frame = this.frames[index] as Frame;
    this.index = index;
    this.onMove(index, this.frames.length - 1, this.ended);
    await this.host.draw(frame, { ...this.host.state }, index < this.pulled ? "python" : "recorded", index);
  }

  /** Let Python run until it has yielded frame `index`, one caller at a time. */
  private pullTo(index: number, generation: number): Promise<void> {
    const turn = this.pulling.then(() => this.pull(index, generation));
    this.pulling = turn.catch(() => undefined);
    return turn;
  }

  private async pull(index: number, generation: number): Promise<void> {
    const { host } = this;
    if (generation !== this.generation) return;
    if (this.pulled < 0) {
      const begun = await host.python.ask({ type: "start", controls: forPython(host.state) });
      if (generation !== this.generation) return;
      if (begun.kind === "error") host.raised(begun.failure);
      if (begun.kind !== "done") return;
      this.pulled = 0;
    }
    const far = index - this.pulled > WORTH_A_WORD;
    while (this.pulled <= index && !this.ended) {
      if (far && this.pulled % 25 === 0) this.words.working(`Replaying, step ${this.pulled} of ${index}`);
      const answer = await host.python.ask({ type: "step" });
      if (generation !== this.generation) return;
      if (answer.kind === "error") host.raised(answer.failure);
      if (answer.kind !== "frame") break;
      if (answer.meta === null) {
        this.ended = true;
        this.frames.length = this.pulled;
      } else this.frames[this.pulled++] = fromWorker(answer.meta, answer.buffers, host.images);
    }
    if (far) this.words.idle();
  }
}
