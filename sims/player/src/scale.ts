/** Between a range input's position and a slider's value. */

import type { SliderSpec, TimelineSpec } from "./contract";

/** Positions of a log slider; main.html.j2 paints the same number. */
export const LOG_POSITIONS = 400;

export type Ranged = SliderSpec | TimelineSpec;

/** The value at a position of the range input. */
export function valueAt(control: Ranged, position: number): number {
  if (control.type === "timeline") return clamp(control, Math.round(position));
  if (!control.log) return settle(control, position);
  if (position <= 0) return control.min;
  if (position >= LOG_POSITIONS) return control.max;
  return settle(control, control.min * (control.max / control.min) ** (position / LOG_POSITIONS));
}

/** The position that shows a value. */
export function positionOf(control: Ranged, value: number): number {
  if (control.type === "timeline" || !control.log) return value;
  return Math.round((LOG_POSITIONS * Math.log(value / control.min)) / Math.log(control.max / control.min));
}

/** The nearest value that a reader would write down: on the step, or with three digits. */
export function settle(control: SliderSpec, value: number): number {
  if (control.integer || control.step !== null) {
    const step = control.step ?? 1;
    return clamp(control, tidy(control.min + Math.round((value - control.min) / step) * step));
  }
  if (control.log) return clamp(control, Number(value.toPrecision(3)));
  const grain = linearStep(control);
  return clamp(control, tidy(Math.round(value / grain) * grain));
}

/** The step of a linear slider that names none: a power of ten, 100 to 1000 of them in the range. */
export function linearStep(control: SliderSpec): number {
  if (control.step !== null) return control.step;
  if (control.integer) return 1;
  return 10 ** Math.floor(Math.log10((control.max - control.min) / 100));
}

/** One press of a key or of a stepper, from `value`. */
export function clamp(control: Ranged, value: number): number {
  return Math.min(control.max, Math.max(control.min, value));
}

/** Twelve digits: 0.30000000000000004 is not a value anyone would link to. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
