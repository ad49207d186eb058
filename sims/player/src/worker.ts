/** The worker: loads Python, checks what it loads, hosts one sim and answers for it. */

import type { PyodideInterface } from "pyodide";
import type { PyBuffer, PyProxy } from "pyodide/ffi";
import type { Buffer, FromWorker, Phase, RuntimeManifest, SimFile, State, ToWorker } from "./contract";
import { CheckedFiles, type Expected, FileError } from "./integrity";
import { unzip, type ZipEntry } from "./unzip";

interface Session extends PyProxy {
  frame(controls: PyProxy): PyProxy;
  start(controls: PyProxy): void;
  step(): PyProxy;
}

interface Bridge extends PyProxy {
  open_session(path: string, source?: string): Session;
}

type FileSystem = PyodideInterface["FS"];

/** The files under way, and Python once it runs from them. */
interface Runtime {
  files: CheckedFiles;
  starting: Promise<PyodideInterface>;
}

/** The page's progress line moves this often at most. */
const PROGRESS_MS = 60;

let runtime: Runtime;
let python: PyodideInterface | undefined;
let bridge: Bridge;
let session: Session;
let simPath = "";

function post(message: FromWorker, transfer: Transferable[] = []): void {
  (globalThis as unknown as { postMessage(m: unknown, t: Transferable[]): void }).postMessage(message, transfer);
}

globalThis.addEventListener("message", (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.type === "runtime") runtime = startRuntime(message);
  else if (message.type === "boot") boot(message).catch((error: unknown) => post(loadFailure(error)));
  else answer(message);
});

/** Begin to fetch Python and to start it; what goes wrong is told to the page when it boots its sim. */
function startRuntime({ url, fresh = false }: Extract<ToWorker, { type: "runtime" }>): Runtime {
  const files = new CheckedFiles(fresh, progress());
  const starting = loadPython(url, fresh, files);
  starting.catch(() => undefined);
  return { files, starting };
}

async function boot(message: Extract<ToWorker, { type: "boot" }>): Promise<void> {
  const { files, starting } = runtime;
  files.expect(message.files.map((f): Expected => ({ ...f, name: f.path, phase: "sim" })));
  await Promise.race([openSim(message, starting, files), files.failed]);
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

async function loadPython(url: string, fresh: boolean, files: CheckedFiles): Promise<PyodideInterface> {
  checkWebAssembly();
  const manifest = await readManifest(url, fresh);
  const at = (path: string): string => new URL(path, url).href;
  files.expect(manifest.files.map((f): Expected => ({ ...f, url: at(f.path), name: f.path, streams: f.path.endsWith(".wasm") })));
  const stopCompiling = compileEarly(manifest, files, at);
  const wheels = readWheels(manifest, files, at);
  // It is awaited once Python makes its file system; until then a rejection must not count as unhandled.
  wheels.catch(() => undefined);
  const { loadPyodide } = await importModules(manifest, files, at);
  const loaded = await loadPyodide({
    indexURL: new URL(".", url).href,
    stdLibURL: at(manifest.stdlib),
    lockFileURL: at(manifest.lock),
    fsInit: async (fs: FileSystem, { sitePackages }: { sitePackages: string }) => install(fs, sitePackages, await wheels),
  });
  stopCompiling();
  return loaded;
}

async function readManifest(url: string, fresh: boolean): Promise<RuntimeManifest> {
  const name = "runtime.json";
  const response = await fetch(url, { cache: fresh ? "reload" : "default" }).catch(() => {
    throw new FileError(name, `${name} could not be fetched`);
  });
  if (!response.ok) throw new FileError(name, `${name} could not be fetched (${response.status})`);
  const manifest = (await response.json().catch(() => null)) as RuntimeManifest | null;
  if (!Array.isArray(manifest?.files)) throw new FileError(name, `${name} is damaged: it does not list the runtime's files`);
  return manifest;
}

/**
 * NumPy and the engine, unpacked while Python's own files are under way. Pyodide's loader would unpack
 * them in Python, one after the other, and link every compiled module of NumPy, wanted or not.
 */
async function readWheels(manifest: RuntimeManifest, files: CheckedFiles, at: (path: string) => string): Promise<ZipEntry[]> {
  const wheels = manifest.files.filter((f) => f.path.endsWith(".whl"));
  const unpacked = await Promise.all(
    wheels.map(async (f) =>
      unzip(await files.bytes(at(f.path))).catch((error: unknown) => {
        throw new FileError(f.path, `${f.path} could not be unpacked: ${lastLine(error)}`);
      }),
    ),
  );
  return unpacked.flat();
}

function install(fs: FileSystem, folder: string, entries: ZipEntry[]): void {
  const made = new Set<string>();
  for (const { path, bytes } of entries) {
    const target = `${folder}/${path}`;
    const parent = target.slice(0, target.lastIndexOf("/"));
    if (!made.has(parent)) fs.mkdirTree(parent);
    made.add(parent);
    fs.writeFile(target, bytes, { canOwn: true });
  }
}

async function openSim(
  message: Extract<ToWorker, { type: "boot" }>,
  starting: Promise<PyodideInterface>,
  files: CheckedFiles,
): Promise<void> {
  python = await starting;
  await mount(python, message.slug, message.files, files);
  try {
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

function answer(message: Exclude<ToWorker, { type: "runtime" | "boot" }>): void {
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
