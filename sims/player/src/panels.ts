/** The panels of a sim: painted by the build, replaced by live ones without moving anything. */

import type { Chart } from "./chart";
import type { ChartPanelSpec, Frame, PanelSpec, PicturePanelSpec, Spec, State } from "./contract";
import { blank, context, type Images } from "./images";
import type { Theme } from "./theme";
import { Tooltip } from "./tooltip";

type Library = typeof import("./chart");

interface LivePanel {
  show(frame: Frame, state: State): Promise<void>;
  fit(): void;
  destroy(): void;
}

interface Made {
  panel: LivePanel;
  host: HTMLElement;
}

export class Panels {
  private ready: Promise<Made[]> | null = null;
  private live: LivePanel[] = [];
  private library: Promise<Library> | null = null;
  private attempts = 0;
  private outdated = false;
  private tooltip: Tooltip;

  constructor(
    private root: HTMLElement,
    private spec: Spec,
    private images: Images,
    private theme: () => Theme,
  ) {
    this.tooltip = new Tooltip(root, images);
    const observer = new ResizeObserver(() => this.live.forEach((panel) => panel.fit()));
    for (const box of root.querySelectorAll(".panel-view")) observer.observe(box);
  }

  /** Make the live panels, unseen, while Python is on its way: the first frame of it has then little to wait for. */
  prepare(frame: Frame, state: State): void {
    if (this.live.length > 0 || this.ready) return;
    this.ready = this.makeAll().then(async (made) => {
      await Promise.all(made.map(({ panel }) => panel.show(frame, state))).catch(() => undefined);
      return made;
    });
    // Drawing makes them itself then, and says why it cannot.
    this.ready.catch(() => (this.ready = null));
  }

  async show(frame: Frame, state: State): Promise<void> {
    this.tooltip.frame = frame;
    if (this.live.length === 0 || this.outdated) await this.build(frame, state);
    else await Promise.all(this.live.map((panel) => panel.show(frame, state)));
  }

  /** Make all panels anew at the next drawing, in the theme that then holds; false while none is live. */
  forget(): boolean {
    void this.ready?.then(destroyAll, () => undefined);
    this.ready = null;
    this.outdated = this.live.length > 0;
    return this.outdated;
  }

  /** New panels are made under the old ones and shown when all are drawn, so that nothing flashes. */
  private async build(frame: Frame, state: State): Promise<void> {
    this.outdated = false;
    const { ready } = this;
    this.ready = null;
    const made = (await ready?.catch(() => null)) ?? (await this.makeAll());
    try {
      await Promise.all(made.map(({ panel }) => panel.show(frame, state)));
    } catch (error) {
      destroyAll(made);
      throw error;
    }
    const before = this.live;
    for (const { panel, host } of made) {
      panel.fit();
      host.classList.remove("waiting");
      host.parentElement?.querySelector(".painted")?.remove();
    }
    for (const panel of before) panel.destroy();
    this.live = made.map(({ panel }) => panel);
  }

  private async makeAll(): Promise<Made[]> {
    const made: Made[] = [];
    try {
      for (const panel of this.spec.panels) made.push(await this.make(panel));
    } catch (error) {
      destroyAll(made);
      throw error;
    }
    return made;
  }

  private async make(panel: PanelSpec): Promise<Made> {
    const box = this.root.querySelector(`[data-panel="${panel.name}"] .panel-view`) as HTMLElement;
    const host = document.createElement("div");
    host.className = "live waiting";
    box.append(host);
    if (panel.type === "picture") return { panel: new Picture(panel, host, this.images), host };
    const { Chart } = await this.load();
    await fontsFor(this.root);
    return { panel: this.chart(Chart, panel, host), host };
  }

  private chart(make: typeof Chart, panel: ChartPanelSpec, host: HTMLElement): LivePanel {
    return new make(panel, host, this.theme(), (hover) => this.tooltip.show(hover, panel.tooltip_image));
  }

  private load(): Promise<Library> {
    if (!this.library) {
      // A browser may remember that a module failed; another address makes it ask again.
      const again = this.attempts++ === 0 ? "" : `?again=${this.attempts}`;
      this.library = (import(new URL(`chart.js${again}`, import.meta.url).href) as Promise<Library>).catch(() => {
        throw new Error("chart.js could not be fetched");
      });
      this.library.catch(() => (this.library = null));
    }
    return this.library;
  }
}

function destroyAll(made: Made[]): void {
  for (const { panel } of made) panel.destroy();
}

/** A panel that shows one of the frame's images, pixel by pixel. */
class Picture implements LivePanel {
  private canvas: HTMLCanvasElement = blank(1, 1);

  constructor(
    private spec: PicturePanelSpec,
    private host: HTMLElement,
    private images: Images,
  ) {
    host.append(this.canvas);
  }

  async show(frame: Frame): Promise<void> {
    const image = frame.images[this.spec.image];
    if (!image) throw new Error(`panel ${this.spec.name} shows the image ${this.spec.image}, which the frame lacks`);
    const pixels = await this.images.get(image.sha);
    this.canvas.width = pixels.width;
    this.canvas.height = pixels.height;
    context(this.canvas).drawImage(pixels, 0, 0);
  }

  fit(): void {}

  destroy(): void {
    this.host.remove();
  }
}

/** Vega measures text to place it, so the faces must be there first; without them it would shift later. */
async function fontsFor(root: HTMLElement): Promise<void> {
  const family = getComputedStyle(root).getPropertyValue("--font-figure");
  if (!family || !document.fonts) return;
  const faces = ["400", "600"].map((weight) => document.fonts.load(`${weight} 12px ${family}`));
  await Promise.all(faces).catch(() => undefined);
}
