/** The names on the wire: spec, frame and worker messages, as docs/develop/architecture.md has them. */

interface ControlBase {
  name: string;
  label: string;
  help: string;
  /** The control changes the drawing alone; Python is not asked. */
  chart: boolean;
}

export interface SliderSpec extends ControlBase {
  type: "slider";
  default: number;
  min: number;
  max: number;
  step: number | null;
  log: boolean;
  integer: boolean;
  unit: string;
  digits: number;
}

export interface TimelineSpec extends ControlBase {
  type: "timeline";
  default: number;
  min: number;
  max: number;
  unit: string;
  fps: number;
}

export interface ChoiceSpec extends ControlBase {
  type: "choice";
  default: string;
  options: { value: string; label: string }[];
}

export interface ToggleSpec extends ControlBase {
  type: "toggle";
  default: boolean;
}

export interface LegendSpec extends ControlBase {
  type: "legend";
  default: string[];
  options: { value: string; label: string; color: string | null }[];
}

export type ControlSpec = SliderSpec | TimelineSpec | ChoiceSpec | ToggleSpec | LegendSpec;

export interface TooltipImage {
  image: string;
  /** The column of the hovered mark's datum that holds the tile's number. */
  column: string;
  /** Side of a square tile, in the image's pixels. */
  tile: number;
}

export interface ChartPanelSpec {
  name: string;
  title: string;
  description: string;
  type: "chart";
  width: number;
  height: number;
  renderer: "svg" | "canvas";
  span: number;
  vega: object;
  tables: string[];
  signals: string[];
  drag: { x?: string; y?: string } | null;
  tooltip_image: TooltipImage | null;
}

export interface PicturePanelSpec {
  name: string;
  title: string;
  type: "picture";
  image: string;
  span: number;
}

export type PanelSpec = ChartPanelSpec | PicturePanelSpec;

export interface ReadoutSpec {
  name: string;
  label: string;
  unit: string;
  digits: number;
}

export interface Spec {
  contract: number;
  slug: string;
  title: string;
  entry: string;
  kind: "explorer" | "timeline" | "process";
  doc: string;
  controls: ControlSpec[];
  panels: PanelSpec[];
  readouts: ReadoutSpec[];
  frame: WireFrame;
  /** Address of the recorded states, or null when nothing is recorded. */
  baked: string | null;
  images: Record<string, string>;
  files: { path: string; sha256: string; bytes: number }[];
  runtime: string;
  page?: string;
}

/** A column stands inline, or as the number of a shared array (baked) or buffer (worker). */
export type WireColumn = Cell[] | { $: number };
export type Cell = number | string | boolean | null;

export interface WireImage {
  width: number;
  height: number;
  sha: string;
  $?: number;
}

export interface ReadoutValue {
  value: number | null;
  label: string;
  unit: string;
  digits: number;
}

export interface WireFrame {
  tables: Record<string, Record<string, WireColumn>>;
  readouts: Record<string, ReadoutValue>;
  images: Record<string, WireImage>;
  alt: string;
}

export type Column = ArrayLike<Cell>;

/** A frame with its columns in place, ready to draw. */
export interface Frame {
  tables: Record<string, Record<string, Column>>;
  readouts: Record<string, ReadoutValue>;
  images: Record<string, { width: number; height: number; sha: string }>;
  alt: string;
}

export type Value = number | string | boolean | string[];
/** The value of every control. */
export type State = Record<string, Value>;

export interface RuntimeFile {
  path: string;
  phase: Phase;
  bytes: number;
  gzip: number;
  sha256: string;
}

export interface RuntimeManifest {
  pyodide: string;
  python: string;
  numpy: string;
  engine: string;
  module: string;
  stdlib: string;
  lock: string;
  packages: string[];
  files: RuntimeFile[];
}

export type Phase = "runtime" | "numpy" | "engine" | "sim";

export interface SimFile {
  url: string;
  path: string;
  sha256: string;
  bytes: number;
}

export type ToWorker =
  /** Fetch the runtime and start Python from it; comes first, perhaps from the head of the page, before its sim is known. */
  | { type: "runtime"; url: string; fresh?: boolean }
  | { type: "boot"; files: SimFile[]; slug: string; source?: string }
  | { type: "frame"; id: number; controls: State }
  | { type: "start"; id: number; controls: State }
  | { type: "step"; id: number }
  | { type: "source"; id: number; source: string };

export type Buffer = Float64Array | Uint8Array;

export type FromWorker =
  | { type: "phase"; phase: Phase; loaded: number; total: number }
  | { type: "ready" }
  | { type: "frame"; id: number; meta: string | null; buffers: Buffer[] }
  | { type: "done"; id: number }
  | { type: "error"; id: number | null; stage: "load" | "python"; file?: string; message: string; trace: string };
