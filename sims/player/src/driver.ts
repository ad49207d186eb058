/** What turns the state into frames, and what it needs of the sim around it. */

import type { Frame, Spec, State } from "./contract";
import type { Images } from "./images";
import type { Failure, Python } from "./python";
import type { Recorded } from "./recorded";

export interface Host {
  readonly spec: Spec;
  readonly state: State;
  readonly python: Python;
  readonly recorded: Recorded;
  readonly images: Images;
  /** Draw a frame of `state`; `index` is a process's step. Resolves when it is on the screen. */
  draw(frame: Frame, state: State, from: "recorded" | "python", index: number): Promise<void>;
  /** A note about the picture that is shown instead of the one asked for; null takes it away. */
  note(text: string | null): void;
  raised(failure: Failure): void;
}

export interface Driver {
  /** Draw the current state; false when it cannot be had for now. */
  show(): Promise<boolean>;
  /** A control on which the frames depend has changed. */
  changed(): Promise<boolean>;
  /** Another Python answers from now on: ready for the first time, or edited by the reader. */
  renewed(): Promise<boolean>;
  readonly index: number;
}

/** The part of the state that Python is given: everything, so that a frame is determined by its controls. */
export function forPython(state: State): State {
  return { ...state };
}
