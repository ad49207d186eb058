/** The worker: loads Python, checks what it loads, hosts one sim and answers for it. */

import type { PyodideInterface } from "pyodide";
import type { PyBuffer, PyProxy } from "pyodide/ffi";
import type { Buffer, FromWorker, Phase, RuntimeManifest, SimFile, State, ToWorker } from "./contract";
import { CheckedFiles, type Expected, FileError } from "./integrity";

interface Session extends PyProxy {
  frame(controls: PyProxy): PyProxy;
  start(controls: PyProxy): void;
  step(): PyProxy;
}

interface Bridge extends PyProxy {
  open_session(path: string, source?: string): Session;
}

/** The page's progress line moves this often at most. */
const PROGRESS_MS = 60;

let python: PyodideInterface | undefined;
let bridge: Bridge;
let session: Session;
let simPath = "";

function post(message: FromWorker, transfer: Transferable[] = []): void {
  (globalThis as unknown as { postMessage(m: unknown, t: Transferable[]): void }).postMessage(message, transfer);
}

globalThis.addEventListener("message", (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.type === "boot") boot(message).catch((error: unknown) => post(loadFailure(error)));
  else answer(message);
});

async function boot(message: Extract<ToWorker, { type: "boot" }>): Promise<void> {
  checkWebAssembly();
  const files = new CheckedFiles(message.fresh === true, progress());
  files.expect(message.files.map((f): Expected => ({ ...f, name: f.path, phase: "sim" })));
  const { manifest } = message;
  const at = (path: string): string => new URL(path, message.runtime).href;
  files.expect(manifest.files.map((f): Expected => ({ ...f, url: at(f.path), name: f.path })));
  await Promise.race([load(message, manifest, files, at), files.firstFailure()]);
  await files.allChecked();
  post({ type: "ready" });
}

/** Tells the page of bytes that came: now and then, not with every chunk, and always when a phase is whole. */
function progress(): (phase: Phase, loaded: number, total: number) => void {
  let told = -Infinity;
  return (phase, loaded, total) => {
    const now = performance.now();
    if (loaded < total && now - told < PROGRESS_MS) return;
    told = now;
    post({ type: "phase", phase, loaded, total });
  };
}

async function load(
  message: Extract<ToWorker, { type: "boot" }>,
  manifest: RuntimeManifest,
  files: CheckedFiles,
  at: (path: string) => string,
): Promise<void> {
  const stopCompiling = compileEarly(manifest, files, at);
  const { loadPyodide } = await importModules(manifest, files, at);
  python = await loadPyodide({
    indexURL: new URL(".", message.runtime).href,
    stdLibURL: at(manifest.stdlib),
    lockFileURL: at(manifest.lock),
    packages: manifest.packages,
  });
  stopCompiling();
  await mount(python, message.slug, message.files, files);
  try {
    // loadPyodide does not throw when a package fails to load; the import does.
    bridge = python.pyimport("sim_engine.bridge") as Bridge;
  } catch (error) {
    throw new FileError("", `NumPy or the engine did not load: ${lastLine(error)}`);
  }
  session = open(message.source);
}

/**
 * import() cannot be handed bytes: it asks for the same addresses again, and the browser's cache lets
 * both read one download. What was imported from a damaged file never comes to anything, since
 * `ready` waits for the hashes; when it fails at once, the hash is what the reader is told.
 */
async function importModules(manifest: RuntimeManifest, files: CheckedFiles, at: (path: string) => string): Promise<typeof import("pyodide")> {
  const modules = manifest.files.filter((f) => f.path.endsWith("js"));
  const first = modules.findIndex((f) => f.path === manifest.module);
  try {
    return (await Promise.all(modules.map((f) => import(at(f.path)))))[first] as typeof import("pyodide");
  } catch (error) {
    await files.allChecked();
    throw error;
  }
}

/**
 * Let Pyodide find its WebAssembly compiled, or being so: left to itself it begins when a megabyte of
 * JavaScript has arrived and run. From here on `fetch` answers with the files under way.
 */
function compileEarly(manifest: RuntimeManifest, files: CheckedFiles, at: (path: string) => string): () => void {
  const url = at(manifest.files.find((f) => f.path.endsWith(".wasm"))?.path ?? "pyodide.asm.wasm");
  // A server that does not know the type of the file makes streaming fail; the bytes are the same.
  const compiled = WebAssembly.compileStreaming(files.fetch(url)).catch(async () => WebAssembly.compile(await files.bytes(url)));
  compiled.catch(() => undefined);
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (_, imports) => {
    const module = await compiled;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  globalThis.fetch = (input, init) => (String(input) === url ? Promise.resolve(new Response()) : files.fetch(input, init));
  return () => {
    WebAssembly.instantiateStreaming = instantiateStreaming;
    globalThis.fetch = files.fetch;
  };
}

async function mount(py: PyodideInterface, slug: string, list: SimFile[], files: CheckedFiles): Promise<void> {
  const root = `/sims/${slug}`;
  for (const file of list) {
    const path = `${root}/${file.path}`;
    py.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    py.FS.writeFile(path, await files.bytes(file.url));
  }
  simPath = `${root}/sim.py`;
}

/** Under a policy without 'wasm-unsafe-eval' the load would hang for ever, so find out first. */
function checkWebAssembly(): void {
  if (typeof WebAssembly === "undefined") throw new FileError("", "this browser has no WebAssembly, which Python needs");
  try {
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    throw new FileError("", "this page's security policy does not let WebAssembly run, which Python needs");
  }
}

function open(source?: string): Session {
  return source === undefined ? bridge.open_session(simPath) : bridge.open_session(simPath, source);
}

function answer(message: Exclude<ToWorker, { type: "boot" }>): void {
  const { id } = message;
  try {
    if (message.type === "source") {
      const next = open(message.source);
      session.destroy();
      session = next;
      post({ type: "done", id });
    } else if (message.type === "start") {
      withControls(message.controls, (controls) => session.start(controls));
      post({ type: "done", id });
    } else if (message.type === "step") reply(id, session.step());
    else withControls(message.controls, (controls) => reply(id, session.frame(controls)));
  } catch (error) {
    post({ type: "error", id, stage: "python", ...pythonError(error) });
  }
}

function withControls(state: State, use: (controls: PyProxy) => void): void {
  const controls = (python as PyodideInterface).toPy(state) as PyProxy;
  try {
    use(controls);
  } finally {
    controls.destroy();
  }
}

function reply(id: number, result: PyProxy): void {
  const [meta, arrays] = result.toJs({ depth: 1 }) as [string | undefined, PyProxy];
  const list = arrays.toJs({ depth: 1 }) as PyProxy[];
  const buffers = list.map(copyOut);
  for (const proxy of [...list, arrays, result]) proxy.destroy();
  post({ type: "frame", id, meta: meta ?? null, buffers }, buffers.map((b) => b.buffer as ArrayBuffer));
}

/** A view of Python's memory detaches when that memory grows, so the numbers are copied. */
function copyOut(array: PyProxy): Buffer {
  const view = (array as PyBuffer).getBuffer();
  const copy = (view.data as Buffer).slice();
  view.release();
  return copy;
}

function pythonError(error: unknown): { message: string; trace: string } {
  const api = python as PyodideInterface;
  const last = api.pyimport("sys").last_exc as (PyProxy & { message?: string; trace?: string }) | undefined;
  if (last?.message !== undefined) {
    const found = { message: String(last.message), trace: String(last.trace) };
    last.destroy();
    return found;
  }
  return { message: lastLine(error), trace: String(error) };
}

function loadFailure(error: unknown): FromWorker {
  if (error instanceof FileError) {
    return { type: "error", id: null, stage: "load", file: error.file, message: error.message, trace: "" };
  }
  // The sim's own file may raise as it is imported: that is its author's, or the editing reader's, to see.
  if (python && error instanceof python.ffi.PythonError) {
    return { type: "error", id: null, stage: "python", ...pythonError(error) };
  }
  return { type: "error", id: null, stage: "load", message: lastLine(error), trace: String((error as Error)?.stack ?? error) };
}

function lastLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n").at(-1) ?? "";
}
