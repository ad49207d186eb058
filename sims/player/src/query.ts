/** The embed's query string, read with suspicion: nothing in it is trusted, echoed or inserted as HTML. */

import type { Spec, State } from "./contract";
import { parseValue, wanted } from "./state";

export type Theme = "light" | "dark" | "auto";

export interface Query {
  /** Controls the query names, with good values. */
  given: State;
  frame: number | null;
  theme: Theme | null;
  hide: string[];
  text: boolean;
  run: boolean;
  /** Sentences for the reader: values that were not taken. */
  notices: string[];
}

/** More steps than any reader replays; a link that asks for more is a mistake or an attack. */
const LAST_FRAME = 20_000;
const PARTS = ["controls", "readouts", "actions", "title", "formula"];

export function readQuery(spec: Spec, search: string): Query {
  const query: Query = { given: {}, frame: null, theme: null, hide: [], text: true, run: false, notices: [] };
  const unknown: string[] = [];
  for (const [name, text] of new URLSearchParams(search)) {
    const control = spec.controls.find((c) => c.name === name);
    if (control) {
      const value = parseValue(control, text);
      if (value === null) query.notices.push(refused(control.label, wanted(control)));
      else query.given[name] = value;
    } else if (name === "frame") readFrame(spec, query, text);
    else if (name === "theme") {
      if (text === "light" || text === "dark" || text === "auto") query.theme = text;
      else query.notices.push(refused("theme", "light, dark or auto"));
    } else if (name === "hide") query.hide = text.split(",").filter((part) => hideable(spec, part, unknown));
    else if (name === "text") query.text = text !== "off";
    else if (name === "run") query.run = text === "1";
    else unknown.push(name);
  }
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 5).map((name) => name.slice(0, 40)).join(", ");
    console.info(`${spec.slug}: ignored what this sim does not have: ${shown}`);
  }
  return query;
}

function readFrame(spec: Spec, query: Query, text: string): void {
  const timeline = spec.controls.find((c) => c.type === "timeline");
  if (timeline) {
    const value = parseValue(timeline, text);
    if (value === null) query.notices.push(refused("frame", wanted(timeline)));
    else query.given[timeline.name] = value;
  } else if (spec.kind === "process" && /^\d{1,9}$/.test(text) && Number(text) <= LAST_FRAME) {
    query.frame = Number(text);
  } else {
    query.notices.push(
      spec.kind === "process"
        ? refused("frame", `a whole number from 0 to ${LAST_FRAME}`)
        : "This sim has no frames, so the link's frame was ignored.",
    );
  }
}

function hideable(spec: Spec, part: string, unknown: string[]): boolean {
  if (PARTS.includes(part) || spec.controls.some((c) => c.name === part)) return true;
  if (part !== "") unknown.push(`hide=${part}`);
  return false;
}

function refused(label: string, want: string): string {
  return `The link's value for ${label} is not ${want}; the default is shown.`;
}
