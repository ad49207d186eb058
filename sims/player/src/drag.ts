/** Dragging on a panel moves the controls that the panel names, as turning a globe turns its angles. */

import type { ChartPanelSpec, ControlSpec, SliderSpec, Spec, State } from "./contract";
import type { Report } from "./controls";

/** Dragging across the whole panel moves a control by this part of its range. */
const REACH = 0.5;

export function bindDrags(root: HTMLElement, spec: Spec, state: () => State, report: Report): void {
  for (const panel of spec.panels) {
    if (panel.type !== "chart" || !panel.drag) continue;
    const box = root.querySelector<HTMLElement>(`[data-panel="${panel.name}"] .panel-view`);
    if (box) bindDrag(box, panel, spec.controls, state, report);
  }
}

function bindDrag(box: HTMLElement, panel: ChartPanelSpec, controls: ControlSpec[], state: () => State, report: Report): void {
  const slider = (name?: string): SliderSpec | undefined =>
    controls.find((c): c is SliderSpec => c.type === "slider" && c.name === name);
  const [across, down] = [slider(panel.drag?.x), slider(panel.drag?.y)];
  box.classList.add("draggable");
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    // A copy: the state is changed in place while the pointer moves.
    const start = { ...state() };
    const [x, y] = [event.clientX, event.clientY];
    box.setPointerCapture(event.pointerId);
    box.classList.add("dragging");
    const move = (e: PointerEvent): void => {
      if (across) report(across.name, moved(across, start, (e.clientX - x) / box.clientWidth));
      if (down) report(down.name, moved(down, start, (e.clientY - y) / box.clientHeight));
    };
    const end = (): void => {
      box.classList.remove("dragging");
      box.removeEventListener("pointermove", move);
      box.removeEventListener("pointerup", end);
      box.removeEventListener("pointercancel", end);
    };
    box.addEventListener("pointermove", move);
    box.addEventListener("pointerup", end);
    box.addEventListener("pointercancel", end);
  });
}

function moved(control: SliderSpec, start: State, part: number): number {
  const range = control.max - control.min;
  let value = (start[control.name] as number) + part * range * REACH;
  // A full circle has no end to stop at.
  if (control.unit === "°" && range === 360) value = control.min + ((((value - control.min) % range) + range) % range);
  const whole = control.integer ? Math.round(value) : Number(value.toFixed(control.digits));
  return Math.min(control.max, Math.max(control.min, whole));
}
