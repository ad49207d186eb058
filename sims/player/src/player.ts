/** Brings one microsim's page to life: puts the parts together, and says who is told what. */

import { bindActions } from "./actions";
import { Address } from "./address";
import type { Frame, Spec, State, TimelineSpec, Value } from "./contract";
import { bindCode } from "./code";
import { Controls } from "./controls";
import { bindDrags } from "./drag";
import type { Driver, Host } from "./driver";
import { Embedded } from "./embed";
import { Explorer } from "./explorer";
import { hideParts } from "./hide";
import { Images } from "./images";
import { Panels } from "./panels";
import { Process } from "./process";
import { type Failure, Python } from "./python";
import { type Query, readQuery } from "./query";
import { Readouts } from "./readouts";
import { Recorded } from "./recorded";
import { Stage } from "./stage";
import { defaults, queryOf, same } from "./state";
import { bindStrip } from "./strip";
import { ThemeSwitch } from "./theme";
import { type Track, Transport } from "./transport";
import { Words } from "./words";

const PATIENCE = 30_000;

class Player implements Host {
  readonly state: State;
  readonly images: Images;
  readonly recorded: Recorded;
  readonly python: Python;
  private readonly words: Words;
  private readonly readouts: Readouts;
  private readonly controls: Controls;
  private readonly theme: ThemeSwitch;
  private readonly panels: Panels;
  private readonly address: Address;
  private readonly embedded: Embedded;
  private readonly driver: Driver;
  private transport: Transport | null = null;
  /** The state this embed was opened in; a link from the page around sets what it names, on top of this. */
  private readonly opened: State;
  private readonly stage: Stage;
  private wanted = false;

  constructor(
    private root: HTMLElement,
    readonly spec: Spec,
  ) {
    const query = readQuery(spec, location.search);
    this.state = { ...defaults(spec), ...query.given };
    this.opened = { ...this.state };
    this.images = new Images(spec.images);
    this.recorded = new Recorded(spec);
    this.words = new Words(root);
    this.readouts = new Readouts(root);
    this.address = new Address(spec);
    this.theme = new ThemeSwitch(query.theme, () => void this.stage.retheme());
    this.panels = new Panels(root, spec, this.images, () => this.theme.current);
    this.stage = new Stage(root, spec, this.state, this.panels, this.readouts, (message) =>
      this.words.failed({ stage: "draw", file: "", message, trace: "" }, () => this.retry()),
    );
    this.python = this.makePython();
    this.controls = new Controls(root, spec, (name, value) => void this.change({ [name]: value }), (sentence) =>
      this.words.notice("typed", sentence),
    );
    this.driver = this.makeDriver(query);
    hideParts(root, query, this.controls);
    bindStrip(root);
    bindDrags(root, spec, () => this.state, (name, value) => void this.change({ [name]: value }));
    bindActions(root, { address: this.address, query: () => this.query(), say: (text) => this.words.say(text) });
    bindCode(root, this, (text) => this.words.say(text));
    this.embedded = new Embedded(root, {
      theme: (theme) => this.theme.fromParent(theme),
      state: (text) => this.fromParent(text),
    });
    this.begin(query);
  }

  // What the drivers ask for

  async draw(frame: Frame, state: State, from: "recorded" | "python", index: number): Promise<void> {
    if (from === "python") this.words.noError();
    await this.stage.draw({ frame, state, from, index });
  }

  note(text: string | null): void {
    this.words.notice("instead", text);
  }

  raised(failure: Failure): void {
    if (this.stage.status === "starting") this.stage.status = "live";
    this.words.idle();
    this.words.raised(failure);
  }

  // What the reader, or the page around, asks for

  /** Take new values and draw them; resolves when they are drawn, with whether that could be done. */
  private async change(values: State, by: "reader" | "parent" = "reader"): Promise<boolean> {
    const changed = this.spec.controls.filter((c) => c.name in values && !same(values[c.name], this.state[c.name]));
    if (changed.length === 0) return true;
    Object.assign(this.state, values);
    this.controls.show(this.state);
    this.words.notice("link", null);
    this.words.notice("typed", null);
    const done = changed.every((c) => c.chart) ? this.stage.redraw().then(() => true) : this.driver.changed();
    this.changed(by);
    return done;
  }

  private changed(by: "reader" | "parent" = "reader"): void {
    this.address.write(this.query());
    if (by === "reader") this.embedded.tellState(this.query());
  }

  private fromParent(text: string): void {
    const query = readQuery(this.spec, text.slice(0, 20_000));
    this.words.notice("link", query.notices.join(" ") || null);
    void this.want();
    this.transport?.pause();
    void this.change({ ...this.opened, ...query.given }, "parent");
    if (query.frame !== null && this.driver instanceof Process) void this.driver.go(query.frame);
  }

  /** The reader shows interest: get Python, and what drawing needs. */
  private async want(): Promise<void> {
    if (this.wanted) return;
    this.wanted = true;
    const recorded = savesData() && (await this.recorded.isComplete().catch(() => false));
    // The longer way first: making the panels would keep the worker waiting.
    if (!recorded) this.startPython();
    this.stage.prepare();
  }

  private startPython(): void {
    if (this.python.status === "starting" || this.python.status === "ready") return;
    this.words.noError();
    this.words.notice("edited", null);
    this.stage.status = "starting";
    this.words.starting();
    this.python.start();
    // A note that promised Python on a touch now has to say that it is coming.
    if (this.words.notes("instead")) void this.driver.show();
  }

  /** Let Python run the reader's version of the sim, or with null the book's own again. */
  async runSource(source: string | null): Promise<void> {
    this.wanted = true;
    this.startPython();
    await this.python.settled();
    const answer = await this.python.ask({ type: "source", source: source ?? (await this.source()) });
    if (answer.kind === "error") this.raised(answer.failure);
    if (answer.kind !== "done") return;
    this.words.notice("edited", source === null ? null : "Python runs your edited version of this sim.");
    await this.driver.renewed();
  }

  /** The text of the sim's own file. */
  source(): Promise<string> {
    return fetchText("files/sim.py");
  }

  private retry(): void {
    this.words.noError();
    if (this.python.status === "ready") void this.driver.show();
    else this.startPython();
  }

  // The parts

  private begin(query: Query): void {
    this.controls.show(this.state);
    if (query.notices.length > 0) this.words.notice("link", query.notices.join(" "));
    const asked = queryOf(this.spec, this.state, query.frame ?? 0);
    if (asked !== "") void this.openAsked(asked);
    for (const type of ["pointerover", "pointerdown", "touchstart", "focusin", "keydown"]) {
      this.root.addEventListener(type, () => void this.want(), { once: true, passive: true });
    }
    if (query.run) void this.want();
  }

  /** The link asks for another state than the painted one. What was not recorded starts Python, once in view. */
  private async openAsked(asked: string): Promise<void> {
    await this.driver.show();
    if (this.root.dataset["drawn"] === asked || savesData()) return;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      void this.want();
    });
    observer.observe(this.root);
  }

  private makePython(): Python {
    const here = (path: string): string => new URL(path, location.href).href;
    const files = this.spec.files.map((f) => ({ ...f, url: here(`files/${f.path}`) }));
    return new Python(
      new URL("worker.js", import.meta.url).href,
      here(this.spec.runtime),
      { type: "boot", files, slug: this.spec.slug },
      (window as { LWL_STALL_MS?: number }).LWL_STALL_MS ?? PATIENCE,
      {
        phase: (phase, loaded, total) => this.words.loading(phase, loaded, total),
        ready: () => {
          this.words.idle();
          void this.driver.renewed();
        },
        failed: (failure) => {
          this.stage.status = "failed";
          this.words.failed(failure, () => this.retry());
          void this.driver.show();
        },
        busy: (long) => {
          if (long) this.words.working("Python is still working", { label: "Stop", run: () => this.python.stop() });
          else if (this.python.status === "ready") this.words.idle();
        },
      },
    );
  }

  private makeDriver(query: Query): Driver {
    const { spec, root } = this;
    const timeline = spec.controls.find((c): c is TimelineSpec => c.type === "timeline");
    const onPlaying = (playing: boolean): void => this.readouts.quiet(playing);
    if (spec.kind === "process") {
      const process = new Process(this, this.words, (index, known, ended) => this.moved(index, known, ended), query.frame ?? 0);
      const range = root.querySelector<HTMLInputElement>('.transport [name="frame"]');
      range?.addEventListener("input", () => void process.go(range.valueAsNumber));
      this.transport = new Transport(root, process, onPlaying);
      return process;
    }
    if (timeline) this.transport = new Transport(root, this.trackOf(timeline), onPlaying);
    return new Explorer(this);
  }

  private trackOf(timeline: TimelineSpec): Track {
    const { state } = this;
    return {
      first: timeline.min,
      last: timeline.max,
      fps: timeline.fps,
      get index() {
        return state[timeline.name] as number;
      },
      go: (index) => this.change({ [timeline.name]: index as Value }),
    };
  }

  /** A process has moved to a step: show where it is. */
  private moved(index: number, known: number, ended: boolean): void {
    const range = this.root.querySelector<HTMLInputElement>('.transport [name="frame"]');
    if (!range) return;
    range.max = String(Math.max(known, index));
    range.value = String(index);
    range.setAttribute("aria-valuetext", `step ${index}`);
    range.style.setProperty("--fill", `${known > 0 ? (100 * index) / known : 0}%`);
    (this.root.querySelector(".frame-now") as HTMLElement).textContent = String(index);
    (this.root.querySelector(".frame-end") as HTMLElement).textContent = ended ? `of ${known}` : "";
    if (this.wanted) this.changed();
  }

  private query(): string {
    return queryOf(this.spec, this.state, this.driver?.index ?? 0);
  }
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be fetched (${response.status})`);
  return response.text();
}

/** The reader has asked the browser to be sparing. */
function savesData(): boolean {
  return (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
}

const root = document.querySelector<HTMLElement>("main.sim");
const spec = document.getElementById("spec")?.textContent;
if (root && spec) new Player(root, JSON.parse(spec) as Spec);
