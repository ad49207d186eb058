/** The form: each control's elements show its value, and report what the reader makes of it. */

import type { ChoiceSpec, ControlSpec, LegendSpec, SliderSpec, Spec, State, TimelineSpec, ToggleSpec, Value } from "./contract";
import { clamp, linearStep, positionOf, type Ranged, settle, valueAt } from "./scale";
import { parseValue, wanted } from "./state";

export type Report = (name: string, value: Value) => void;

/** Shows a value in the elements of one control. */
type Show = (value: Value) => void;

export class Controls {
  private shows = new Map<string, Show>();

  /**
   * @param report is called when the reader has changed a control.
   * @param complain is told, in a sentence, what a typed value should have been.
   */
  constructor(
    private root: HTMLElement,
    private spec: Spec,
    report: Report,
    complain: (sentence: string) => void,
  ) {
    for (const control of spec.controls) this.shows.set(control.name, this.bind(control, report, complain));
    for (const group of root.querySelectorAll<HTMLFieldSetElement>("fieldset.bare")) group.disabled = false;
    root.querySelector("form")?.addEventListener("submit", (event) => event.preventDefault());
  }

  show(state: State): void {
    for (const { name } of this.spec.controls) this.shows.get(name)?.(state[name] as Value);
  }

  /** Take out what the embedder hides. */
  hide(parts: string[]): void {
    for (const part of parts) {
      for (const element of this.root.querySelectorAll<HTMLElement>(`[data-control="${part}"]`)) element.hidden = true;
    }
    const controls = this.root.querySelector<HTMLElement>(".sim-controls");
    if (controls && !controls.querySelector(".control:not([hidden])")) controls.hidden = true;
  }

  private bind(control: ControlSpec, report: Report, complain: (sentence: string) => void): Show {
    switch (control.type) {
      case "slider":
      case "timeline":
        return bindRange(this.root, control, report, complain);
      case "choice":
        return bindChoice(this.root, control, report);
      case "toggle":
        return bindToggle(this.root, control, report);
      case "legend":
        return bindLegend(this.root, control, report);
    }
  }
}

function named<E extends HTMLElement>(root: HTMLElement, name: string): E[] {
  return [...root.querySelectorAll<E>(`[name="${name}"]`)];
}

function bindRange(root: HTMLElement, control: Ranged, report: Report, complain: (sentence: string) => void): Show {
  const range = named<HTMLInputElement>(root, control.name)[0] as HTMLInputElement;
  const field = named<HTMLInputElement>(root, `${control.name}:value`)[0] as HTMLInputElement;
  const isLog = control.type === "slider" && control.log;
  if (control.type === "slider" && !isLog) range.step = String(linearStep(control));
  let now = control.default;
  const show = (value: number): void => {
    now = value;
    const position = positionOf(control, value);
    range.value = String(position);
    range.setAttribute("aria-valuetext", `${value}${control.unit ? ` ${control.unit}` : ""}`);
    range.style.setProperty("--fill", `${fraction(range, position) * 100}%`);
    field.value = String(value);
  };
  const take = (value: number): void => {
    show(value);
    report(control.name, value);
  };
  range.addEventListener("input", () => take(valueAt(control, range.valueAsNumber)));
  field.addEventListener("change", () => {
    const value = parseValue(control, field.value);
    if (value !== null) return take(value as number);
    complain(`${control.label} takes ${wanted(control)}.`);
    show(now);
  });
  field.addEventListener("keydown", (event) => {
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (direction === 0) return;
    // The browser's own stepping adds 1, whatever the scale.
    event.preventDefault();
    take(stepped(control, now, direction));
  });
  return (value) => show(value as number);
}

/** The neighbouring value in a direction, on the control's own scale. */
function stepped(control: SliderSpec | TimelineSpec, value: number, direction: number): number {
  if (control.type === "timeline") return clamp(control, value + direction);
  if (!control.log) return settle(control, value + direction * linearStep(control));
  return valueAt(control, positionOf(control, value) + 4 * direction);
}

function fraction(range: HTMLInputElement, position: number): number {
  const [low, high] = [Number(range.min), Number(range.max)];
  return high > low ? (position - low) / (high - low) : 0;
}

function bindChoice(root: HTMLElement, control: ChoiceSpec, report: Report): Show {
  const elements = named<HTMLInputElement | HTMLSelectElement>(root, control.name);
  for (const element of elements) {
    element.addEventListener("change", () => report(control.name, element.value));
  }
  return (value) => {
    for (const element of elements) {
      if (element instanceof HTMLSelectElement) element.value = String(value);
      else element.checked = element.value === value;
    }
  };
}

function bindToggle(root: HTMLElement, control: ToggleSpec, report: Report): Show {
  const box = named<HTMLInputElement>(root, control.name)[0] as HTMLInputElement;
  box.addEventListener("change", () => report(control.name, box.checked));
  return (value) => {
    box.checked = value === true;
  };
}

function bindLegend(root: HTMLElement, control: LegendSpec, report: Report): Show {
  const boxes = named<HTMLInputElement>(root, control.name);
  const tell = (): void => report(control.name, boxes.filter((b) => b.checked).map((b) => b.value));
  for (const box of boxes) box.addEventListener("change", tell);
  const group = root.querySelector(`[data-control="${control.name}"]`);
  for (const button of group?.querySelectorAll<HTMLButtonElement>("[data-legend]") ?? []) {
    button.addEventListener("click", () => {
      for (const box of boxes) box.checked = button.dataset["legend"] === "all";
      tell();
    });
  }
  return (value) => {
    for (const box of boxes) box.checked = (value as string[]).includes(box.value);
  };
}
