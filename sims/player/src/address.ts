/** The page's own address follows the state, and gives the links that the buttons copy. */

import type { Spec } from "./contract";

const OWN = ["theme", "hide", "text", "run"];

export class Address {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private spec: Spec) {}

  /** Write the state into the address bar, soon: browsers refuse a hundred writes in a row. */
  write(query: string): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const kept = [...new URLSearchParams(location.search)]
        .filter(([name]) => OWN.includes(name))
        .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`);
      const search = [query, ...kept].filter((part) => part !== "").join("&");
      try {
        history.replaceState(history.state, "", search === "" ? location.pathname : `?${search}`);
      } catch {
        // Some sandboxes forbid it; the state is still in data-drawn and in the copied link.
      }
    }, 200);
  }

  link(query: string): string {
    const base = location.origin === "null" ? location.href.split(/[?#]/)[0] : location.origin + location.pathname;
    return query === "" ? String(base) : `${base}?${query}`;
  }

  embedCode(query: string, height: number): string {
    const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
    return `<iframe src="${escape(this.link(query))}" width="100%" height="${height}" title="${escape(this.spec.title)}" loading="lazy"></iframe>`;
  }
}
