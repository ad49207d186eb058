/** Light or dark: from the URL, from the page around, or from the reader's system. */

import tokens from "../../../build_scripts/look/tokens.json";

export type Theme = "light" | "dark";

const dark = new Map<string, string>(
  Object.values(tokens.color).map((pair) => [(pair[0] as string).toLowerCase(), pair[1] as string]),
);

/** A Vega spec with each token's light hex in the theme's value. */
export function recolour(spec: object, theme: Theme): object {
  if (theme === "light") return structuredClone(spec);
  const text = JSON.stringify(spec).replace(/#[0-9a-f]{6}\b/gi, (hex) => dark.get(hex.toLowerCase()) ?? hex);
  return JSON.parse(text) as object;
}

export class ThemeSwitch {
  private system = matchMedia("(prefers-color-scheme: dark)");
  private message: Theme | null = null;
  private last: Theme;

  /** @param asked the URL's theme; null or "auto" leaves it to the page around, then to the system. */
  constructor(
    private asked: Theme | "auto" | null,
    private onChange: (theme: Theme) => void,
  ) {
    this.last = this.current;
    this.apply();
    this.system.addEventListener("change", () => this.apply());
  }

  get current(): Theme {
    if (this.asked === "light" || this.asked === "dark") return this.asked;
    return this.message ?? (this.system.matches ? "dark" : "light");
  }

  /** The page around has chosen; an explicit theme in the URL wins over it. */
  fromParent(theme: Theme): void {
    this.message = theme;
    this.apply();
  }

  private apply(): void {
    const explicit = this.message !== null || this.asked === "light" || this.asked === "dark";
    if (explicit) document.documentElement.dataset["theme"] = this.current;
    else delete document.documentElement.dataset["theme"];
    if (this.current === this.last) return;
    this.last = this.current;
    this.onChange(this.current);
  }
}
