/** What the sim and the page around it tell each other. */

export interface ParentMessages {
  theme(theme: "light" | "dark"): void;
  state(query: string): void;
}

export class Embedded {
  private readonly parent = window.parent === window ? null : window.parent;
  private height = 0;

  constructor(root: HTMLElement, on: ParentMessages) {
    if (!this.parent) return;
    window.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (event.source !== this.parent || typeof event.data !== "object" || event.data === null) return;
      const { type, theme, query } = event.data as { type?: unknown; theme?: unknown; query?: unknown };
      if (type === "lwl:theme" && (theme === "light" || theme === "dark")) on.theme(theme);
      if (type === "lwl:state" && typeof query === "string") on.state(query);
    });
    new ResizeObserver(() => this.tellHeight(root)).observe(root);
  }

  tellState(query: string): void {
    this.parent?.postMessage({ type: "lwl:state", query }, "*");
  }

  private tellHeight(root: HTMLElement): void {
    const height = Math.ceil(root.getBoundingClientRect().height);
    if (height === this.height || height === 0) return;
    this.height = height;
    this.parent?.postMessage({ type: "lwl:height", height }, "*");
  }
}
