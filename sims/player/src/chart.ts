/** One live chart: a compiled Vega spec in its box. Loaded when the first chart has to be redrawn. */

import { changeset, transforms } from "vega-dataflow";
import * as encode from "vega-encode";
import { expressionInterpreter } from "vega-interpreter";
import { parse } from "vega-parser";
import * as regression from "vega-regression";
import * as table from "vega-transforms";
import { View } from "vega-view";
import * as layout from "vega-view-transforms";
import type { Item, Loader, Spec as VegaSpec } from "vega";
import type { ChartPanelSpec, Frame, State, Value } from "./contract";
import { changedColumns, rowsOf } from "./frames";
import { sharpen } from "./sharp-canvas";
import { same } from "./state";
import "./text-width";
import type { Theme } from "./theme";
import { recolour } from "./theme";

// Maps, forces, trees and word clouds stay out: a quarter of the library, and no figure here needs them.
Object.assign(transforms, table, layout, encode, regression);

/** A chart gets its data from frames; nothing in a spec may make it ask the network. */
const refuse = (): Promise<never> => Promise.reject(new Error("charts load nothing"));
const closedLoader = { load: refuse, sanitize: refuse, http: refuse, file: refuse } as unknown as Loader;

export interface Hover {
  event: PointerEvent;
  datum: Record<string, unknown>;
  /** What the chart's own tooltip encoding says, if it has one. */
  tooltip: unknown;
}

export class Chart {
  private readonly view: View;
  private drawn = { tables: new Map<string, Frame["tables"][string]>(), signals: {} as State };
  private problem: unknown = null;

  constructor(
    private spec: ChartPanelSpec,
    private host: HTMLElement,
    theme: Theme,
    onHover: (hover: Hover | null) => void,
  ) {
    const runtime = parse(recolour(spec.vega, theme) as VegaSpec, { events: { bind: "none" } }, { ast: true } as never);
    this.view = new View(runtime, {
      renderer: (spec.renderer === "canvas" ? "sharp-canvas" : "svg") as "svg",
      expr: expressionInterpreter,
      loader: closedLoader,
      hover: true,
      tooltip: () => undefined,
      logger: this.logger(),
    } as never);
    this.scale();
    this.view.initialize(host);
    // The panel around it is the labelled image; Vega's own labels would be a second one.
    for (const name of ["role", "aria-label", "aria-roledescription"]) host.removeAttribute(name);
    host.setAttribute("aria-hidden", "true");
    const hover = (event: unknown, item: Item | null | undefined): void => {
      const found = item as (Item & { datum?: Record<string, unknown>; tooltip?: unknown }) | null | undefined;
      const datum = found?.datum;
      onHover(datum ? { event: event as PointerEvent, datum, tooltip: found.tooltip } : null);
    };
    this.view.addEventListener("pointermove", hover);
    this.view.addEventListener("pointerdown", hover);
    this.view.addEventListener("pointerout", () => onHover(null));
  }

  /**
   * Draw a frame; resolves when it is on the screen. Vega is handed what differs from the last
   * drawing and nothing else: rows are what redrawing costs.
   */
  async show(frame: Frame, state: State): Promise<void> {
    let changed = false;
    for (const name of this.spec.tables) {
      const table = frame.tables[name];
      if (!table) throw new Error(`panel ${this.spec.name} draws the table ${name}, which the frame lacks`);
      if (this.fill(name, table)) changed = true;
    }
    for (const name of this.spec.signals) {
      const value = state[name] as Value;
      if (same(this.drawn.signals[name], value)) continue;
      this.drawn.signals[name] = value;
      this.view.signal(name, value);
      changed = true;
    }
    if (changed) await this.view.runAsync();
    if (this.problem !== null) {
      const problem = this.problem;
      this.problem = null;
      this.drawn.tables.clear(); // what Vega holds now is unsure: it gets the next tables whole
      throw problem;
    }
  }

  /**
   * Hand a table to Vega; returns whether it differs from the one there. Rows that stay as many are
   * overwritten, column by column, and keep their marks; making marks anew costs as much as drawing them.
   */
  private fill(name: string, table: Frame["tables"][string]): boolean {
    const columns = changedColumns(this.drawn.tables.get(name), table);
    this.drawn.tables.set(name, table);
    if (!columns) {
      this.view.data(name, rowsOf(table));
      return true;
    }
    const changes = changeset();
    for (const column of columns) {
      let row = 0; // Vega asks in the order in which it was given the rows.
      changes.modify(() => true, column, () => table[column]?.[row++]);
    }
    if (columns.length > 0) this.view.change(name, changes.reflow());
    return columns.length > 0;
  }

  /** Scale the whole picture to its box. */
  fit(): void {
    if (this.scale() && this.spec.renderer === "canvas") sharpen(this.host, (this.view.scenegraph() as unknown as { root: unknown }).root);
  }

  /** Returns whether the scale has changed. */
  private scale(): boolean {
    const box = this.host.parentElement as HTMLElement;
    const zoom = String(box.clientWidth / this.spec.width || 1);
    if (zoom === this.host.dataset["zoom"]) return false;
    this.host.style.width = `${this.spec.width}px`;
    this.host.style.height = `${this.spec.height}px`;
    this.host.style.transform = `scale(${zoom})`;
    this.host.dataset["zoom"] = zoom;
    return true;
  }

  destroy(): void {
    this.view.finalize();
    this.host.remove();
  }

  /** Vega logs what goes wrong and carries on; here the caller is told. */
  private logger(): object {
    const logger = {
      level: () => 0,
      error: (problem: unknown) => ((this.problem = problem), logger),
      warn: (...words: unknown[]) => (console.warn(this.spec.name, ...words), logger),
      info: () => logger,
      debug: () => logger,
    };
    return logger;
  }
}
