/** The states that the build recorded: exact look-up, and the nearest when there is none. */

import type { Cell, Frame, Spec, State, Value, WireFrame } from "./contract";
import { fromBuild } from "./frames";
import { computeKey, defaults, same } from "./state";

interface RecordedState {
  controls: State;
  /** Of a process: which frame, from 0. */
  step?: number;
  frame: WireFrame;
}

interface BakedFile {
  columns: Cell[][];
  states: RecordedState[];
}

export interface Found {
  frame: Frame;
  /** The whole state the frame shows: the asked one, with the recorded values in place. */
  state: State;
  exact: boolean;
}

export class Recorded {
  private file: Promise<BakedFile> | null = null;

  constructor(private spec: Spec) {}

  /** Fetch the recorded states, once; a failure is tried again at the next call. */
  private load(): Promise<BakedFile> {
    if (!this.file) {
      const own: BakedFile = { columns: [], states: [{ controls: {}, step: 0, frame: this.spec.frame }] };
      this.file = this.spec.baked === null ? Promise.resolve(own) : fetchBaked(this.spec.baked);
      this.file.catch(() => (this.file = null));
    }
    return this.file;
  }

  /** The recorded frame of a state, or the nearest with the same choices; null when there is none. */
  async find(state: State): Promise<Found | null> {
    const file = await this.load();
    const key = computeKey(this.spec, state);
    let best: RecordedState | null = null;
    let least = Infinity;
    for (const recorded of file.states) {
      const whole = this.complete(recorded, state);
      if (computeKey(this.spec, whole) === key) return { frame: frameOf(recorded, file), state: whole, exact: true };
      const distance = this.distance(whole, state);
      if (distance < least) [best, least] = [recorded, distance];
    }
    if (best === null) return null;
    return { frame: frameOf(best, file), state: this.complete(best, state), exact: false };
  }

  /** The recorded first frames of a process at these controls, in order. */
  async steps(state: State): Promise<Frame[]> {
    const file = await this.load();
    const key = computeKey(this.spec, state);
    const found = file.states.filter((r) => computeKey(this.spec, this.complete(r, state)) === key);
    return found.sort((a, b) => (a.step ?? 0) - (b.step ?? 0)).map((r) => frameOf(r, file));
  }

  /** Every state that the computing controls can take is recorded, so nothing waits for Python. */
  async isComplete(): Promise<boolean> {
    if (this.spec.kind === "process") return false;
    let count = 1;
    for (const c of this.spec.controls.filter((c) => !c.chart)) {
      if (c.type === "timeline") count *= c.max - c.min + 1;
      else if (c.type === "choice") count *= c.options.length;
      else if (c.type === "toggle") count *= 2;
      else if (c.type === "slider" && c.integer) count *= Math.floor((c.max - c.min) / (c.step ?? 1)) + 1;
      else return false;
    }
    return (await this.load()).states.length >= count;
  }

  /** The recorded state with what it leaves open: drawing controls as asked, the rest at default. */
  private complete(recorded: RecordedState, asked: State): State {
    const state = { ...defaults(this.spec), ...recorded.controls };
    for (const c of this.spec.controls) if (c.chart) state[c.name] = asked[c.name] as Value;
    return state;
  }

  /** How far a recorded state is from the asked one; infinite when a choice differs. */
  private distance(recorded: State, asked: State): number {
    let sum = 0;
    for (const c of this.spec.controls.filter((c) => !c.chart)) {
      const [a, b] = [recorded[c.name], asked[c.name]];
      if (c.type === "slider" || c.type === "timeline") {
        const scale = c.type === "slider" && c.log ? Math.log : (x: number): number => x;
        sum += Math.abs(scale(a as number) - scale(b as number)) / (scale(c.max) - scale(c.min));
      } else if (!same(a, b)) return Infinity;
    }
    return sum;
  }
}

function frameOf(recorded: RecordedState, file: BakedFile): Frame {
  return fromBuild(recorded.frame, file.columns);
}

async function fetchBaked(url: string): Promise<BakedFile> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the recorded states could not be fetched (${response.status})`);
  return (await response.json()) as BakedFile;
}
