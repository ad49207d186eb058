/** The panels as a strip that scrolls sideways: a tab stop, and named so, only while it does. */

const NAMES = ["tabindex", "role", "aria-label"];

export function bindStrip(root: HTMLElement): void {
  const strip = root.querySelector<HTMLElement>(".sim-panels[tabindex]");
  if (!strip) return;
  const given = NAMES.map((name) => [name, strip.getAttribute(name) ?? ""] as const);
  const scrolls = (): boolean => strip.scrollWidth > strip.clientWidth + 1;
  new ResizeObserver(() => {
    for (const [name, value] of given) {
      if (scrolls()) strip.setAttribute(name, value);
      else strip.removeAttribute(name);
    }
  }).observe(strip);
  // On the strip the arrows scroll; elsewhere they step what plays.
  strip.addEventListener("keydown", (event) => {
    if (scrolls() && (event.key === "ArrowLeft" || event.key === "ArrowRight")) event.stopPropagation();
  });
}
