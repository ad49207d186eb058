// Runs one Python file in Pyodide under Node: `node host.mjs job.json`.
//
// The job: {indexURL, script, argv, mounts: {"/inside": "/outside"}, stdLibURL?, lockFileURL?, packages?, imports?}
// Python's standard output goes to ours. Exit 1 with the trace on standard error when anything fails.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import v8 from "node:v8";

// What Chrome and Firefox have, Node 20 has only when it is asked: the engine then takes its quickest loops.
if (Number(process.versions.node.split(".")[0]) < 22) v8.setFlagsFromString("--experimental-wasm-relaxed-simd");

const job = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const options = {
  indexURL: job.indexURL,
  // Set order reaches bytecode through constants: two builds must not differ.
  env: { PYTHONHASHSEED: "0", HOME: "/home/pyodide" },
};
for (const name of ["stdLibURL", "lockFileURL", "packages"]) if (job[name]) options[name] = job[name];

function fail(error) {
  console.error(String(error?.message ?? error).trim());
  process.exit(1);
}
// Pyodide rejects a promise of its own when a package is not in the lock file.
process.on("unhandledRejection", fail);

try {
  const { loadPyodide } = await import(pathToFileURL(path.join(job.indexURL, "pyodide.mjs")).href);
  const pyodide = await loadPyodide(options);
  for (const [inside, outside] of Object.entries(job.mounts ?? {})) {
    pyodide.FS.mkdirTree(inside);
    pyodide.mountNodeFS(inside, outside);
  }
  // loadPackage does not throw when a package fails; the import does.
  for (const name of job.imports ?? []) pyodide.pyimport(name).destroy();
  pyodide.globals.set("ARGV", pyodide.toPy([path.basename(job.script), ...(job.argv ?? [])]));
  pyodide.runPython("import sys; sys.argv = list(ARGV); del ARGV");
  pyodide.runPython(fs.readFileSync(job.script, "utf8"), { filename: job.script });
  process.exit(0);
} catch (error) {
  fail(error);
}
