/** Takes out of the page what the embedder does not want shown. */

import type { Controls } from "./controls";
import type { Query } from "./query";

const PARTS: Record<string, string> = {
  controls: ".sim-controls, .legends, .transport",
  readouts: ".readouts",
  actions: ".sim-actions",
  title: ".sim-title",
  formula: ".formula",
};

export function hideParts(root: HTMLElement, query: Query, controls: Controls): void {
  for (const part of query.hide) {
    const selector = PARTS[part];
    if (selector === undefined) continue;
    for (const element of root.querySelectorAll<HTMLElement>(selector)) element.hidden = true;
  }
  controls.hide(query.hide);
  // Out of sight, and still there for who listens.
  if (!query.text) root.querySelector('[role="status"]')?.classList.add("hidden");
}
