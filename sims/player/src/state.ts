/** The state of a sim: the value of every control, and how it stands in a URL. */

import type { ControlSpec, Spec, State, Value } from "./contract";

/** A control's value from text, or null when the text is none. */
export function parseValue(control: ControlSpec, text: string): Value | null {
  switch (control.type) {
    case "slider":
    case "timeline": {
      // Number("") is 0 and Number("0x10") is 16; neither is a number a reader would type.
      if (text.length > 32 || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim())) return null;
      const value = Number(text);
      const whole = control.type === "timeline" || control.integer;
      const fits = Number.isFinite(value) && value >= control.min && value <= control.max;
      return fits && (!whole || Number.isInteger(value)) ? value : null;
    }
    case "choice":
      return control.options.some((o) => o.value === text) ? text : null;
    case "toggle":
      return /^(1|true|on)$/.test(text) ? true : /^(0|false|off)$/.test(text) ? false : null;
    case "legend": {
      const chosen = text === "" ? [] : text.split(",");
      const known = control.options.map((o) => o.value);
      return chosen.every((c) => known.includes(c)) ? known.filter((k) => chosen.includes(k)) : null;
    }
  }
}

/** What a control takes, in words. */
export function wanted(control: ControlSpec): string {
  switch (control.type) {
    case "slider":
    case "timeline":
      return `a ${control.type === "timeline" || control.integer ? "whole " : ""}number from ${control.min} to ${control.max}`;
    case "choice":
      return `one of ${control.options.map((o) => o.value).join(", ")}`;
    case "toggle":
      return "1 or 0";
    case "legend":
      return `some of ${control.options.map((o) => o.value).join(", ")}`;
  }
}

export function defaults(spec: Spec): State {
  return Object.fromEntries(spec.controls.map((c) => [c.name, c.default]));
}

export function same(a: Value | undefined, b: Value | undefined): boolean {
  return Array.isArray(a) && Array.isArray(b) ? a.join() === b.join() : a === b;
}

function textOf(value: Value): string {
  if (Array.isArray(value)) return value.map(encodeURIComponent).join(",");
  return encodeURIComponent(typeof value === "boolean" ? (value ? "1" : "0") : String(value));
}

/** The query string of a state: what differs from the defaults, in the order of the signature. */
export function queryOf(spec: Spec, state: State, frame = 0): string {
  const parts = spec.controls
    .filter((c) => !same(state[c.name], c.default))
    .map((c) => `${c.name}=${textOf(state[c.name] as Value)}`);
  if (spec.kind === "process" && frame > 0) parts.push(`frame=${frame}`);
  return parts.join("&");
}

/** The controls on which Python's answer depends, as a key. */
export function computeKey(spec: Spec, state: State): string {
  return spec.controls.filter((c) => !c.chart).map((c) => `${c.name}=${textOf(state[c.name] as Value)}`).join("&");
}

/** A state in words, for a note: "τ = 0.07". Only the controls named. */
export function inWords(spec: Spec, state: State, names: string[]): string {
  return spec.controls
    .filter((c) => names.includes(c.name))
    .map((c) => {
      const value = state[c.name];
      const text = wordFor(c, value as Value);
      return `${c.label} = ${text.replace("-", "−")}`;
    })
    .join(", ");
}

function wordFor(control: ControlSpec, value: Value): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return `${Number(value.toPrecision(3))}`;
  if (control.type === "choice") return control.options.find((o) => o.value === value)?.label ?? String(value);
  return String(value);
}
