/** The page's side of the worker: one request in flight, the newest frame waits, a silent load fails. */

import type { Buffer, FromWorker, Phase, State, ToWorker } from "./contract";

export interface Failure {
  /** Files did not arrive or were wrong; a picture could not be drawn; the sim's own Python raised; the reader stopped it. */
  stage: "load" | "draw" | "python" | "stopped";
  file: string;
  message: string;
  trace: string;
}

export type Answer =
  | { kind: "frame"; meta: string | null; buffers: Buffer[] }
  | { kind: "done" }
  | { kind: "error"; failure: Failure }
  /** A newer request took this one's place, or the worker was ended. */
  | { kind: "dropped" };

type Request = Exclude<ToWorker, { type: "runtime" | "boot" }> extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;

interface Job {
  request: Request;
  settle: (answer: Answer) => void;
}

export interface PythonEvents {
  phase(phase: Phase, loaded: number, total: number): void;
  ready(): void;
  failed(failure: Failure): void;
  /** A request has been running for a while, or has ended at last. */
  busy(long: boolean): void;
}

const LONG_REQUEST = 8000;

export class Python {
  status: "idle" | "starting" | "ready" | "failed" = "idle";
  private worker: Worker | null = null;
  private flight: (Job & { id: number }) | null = null;
  private queue: Job[] = [];
  private waiting: (() => void)[] = [];
  private isLong = false;
  private attempts = 0;
  private lastId = 0;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private long: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private url: string,
    private runtime: string,
    private boot: Extract<ToWorker, { type: "boot" }>,
    private patience: number,
    private events: PythonEvents,
  ) {}

  /** Start the worker; does nothing when it is starting or runs. After a failure it is a fresh one. */
  start(): void {
    if (this.status === "starting" || this.status === "ready") return;
    this.status = "starting";
    this.listenForSilence();
    const fresh = this.attempts++ > 0;
    let worker: Worker;
    try {
      worker = this.underWay() ?? this.begun(fresh);
    } catch (error) {
      this.fail({ stage: "load", file: "worker.js", message: `this page may not start a worker: ${String(error)}`, trace: "" });
      return;
    }
    this.worker = worker;
    worker.addEventListener("message", (event: MessageEvent<FromWorker>) => this.receive(event.data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      const message = event.message ? `the worker stopped: ${event.message}` : "worker.js could not be fetched";
      this.fail({ stage: "load", file: "worker.js", message, trace: "" });
    });
    worker.postMessage(this.boot);
  }

  /** The worker that the head of the page has started already, for the first who asks. */
  private underWay(): Worker | undefined {
    const shared = window as { LWL_WORKER?: Worker };
    const worker = shared.LWL_WORKER;
    delete shared.LWL_WORKER;
    return worker;
  }

  private begun(fresh: boolean): Worker {
    const worker = new Worker(this.url, { type: "module" });
    worker.postMessage({ type: "runtime", url: this.runtime, fresh } satisfies ToWorker);
    return worker;
  }

  /** End the worker, whatever it does. */
  stop(): void {
    this.fail({ stage: "stopped", file: "", message: "stopped", trace: "" });
  }

  /** Resolves when Python is ready or has failed. */
  settled(): Promise<void> {
    if (this.status === "ready" || this.status === "failed") return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Ask for a frame; of several that wait, only the newest is sent. */
  frame(controls: State): Promise<Answer> {
    for (const job of this.queue.filter((j) => j.request.type === "frame")) job.settle({ kind: "dropped" });
    this.queue = this.queue.filter((j) => j.request.type !== "frame");
    return this.ask({ type: "frame", controls });
  }

  ask(request: Request): Promise<Answer> {
    return new Promise((settle) => {
      if (this.status !== "ready") settle({ kind: "dropped" });
      else {
        this.queue.push({ request, settle });
        this.next();
      }
    });
  }

  private next(): void {
    if (this.flight || !this.worker) return;
    const job = this.queue.shift();
    if (!job) return;
    const id = ++this.lastId;
    this.flight = { ...job, id };
    this.long = setTimeout(() => {
      this.isLong = true;
      this.events.busy(true);
    }, LONG_REQUEST);
    this.worker.postMessage({ ...job.request, id });
  }

  private receive(message: FromWorker): void {
    if (message.type === "phase") {
      this.listenForSilence();
      this.events.phase(message.phase, message.loaded, message.total);
    } else if (message.type === "ready") {
      clearTimeout(this.silence);
      this.status = "ready";
      this.events.ready();
      this.tellWaiting();
    } else if (message.type === "error" && message.id === null) {
      this.fail({ stage: message.stage, file: message.file ?? "", message: message.message, trace: message.trace });
    } else if (this.flight && message.id === this.flight.id) {
      const { settle } = this.flight;
      this.landed();
      settle(answerOf(message));
      this.next();
    }
  }

  private landed(): void {
    clearTimeout(this.long);
    this.flight = null;
    if (!this.isLong) return;
    this.isLong = false;
    this.events.busy(false);
  }

  private listenForSilence(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      const seconds = Math.round(this.patience / 1000);
      this.fail({ stage: "load", file: "", message: `nothing arrived for ${seconds} seconds`, trace: "" });
    }, this.patience);
  }

  private fail(failure: Failure): void {
    clearTimeout(this.silence);
    this.worker?.terminate();
    this.worker = null;
    this.status = "failed";
    const dropped = [...(this.flight ? [this.flight] : []), ...this.queue];
    this.landed();
    this.queue = [];
    for (const job of dropped) job.settle({ kind: "dropped" });
    this.events.failed(failure);
    this.tellWaiting();
  }

  private tellWaiting(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

function answerOf(message: Exclude<FromWorker, { type: "phase" } | { type: "ready" }>): Answer {
  if (message.type === "frame") return { kind: "frame", meta: message.meta, buffers: message.buffers };
  if (message.type === "done") return { kind: "done" };
  const { stage, file = "", message: text, trace } = message;
  return { kind: "error", failure: { stage, file, message: text, trace } };
}
