// Times the engine's NT-Xent in the built runtime against the reference loop, in one worker.
import { ntXent } from "./reference.mjs";

const runtime = new URL("../runtime/", import.meta.url).href;
const manifest = await (await fetch(`${runtime}runtime.json`)).json();
const { loadPyodide } = await import(runtime + manifest.module);
const pyodide = await loadPyodide({
  indexURL: runtime,
  stdLibURL: runtime + manifest.stdlib,
  lockFileURL: runtime + manifest.lock,
  packages: manifest.packages,
});
pyodide.runPython(`
import numpy as np
from sim_engine.losses import nt_xent, nt_xent_value

def make(n, d):
    rng = np.random.default_rng(n + d)
    z_a = rng.normal(size=(n, d))
    return z_a, z_a + 0.5 * rng.normal(size=(n, d))

def value(tau):
    return nt_xent_value(z_a, z_b, tau)

def value_and_gradients(tau):
    return nt_xent(z_a, z_b, tau).value
`);
const [value, gradients] = ["value", "value_and_gradients"].map((name) => pyodide.globals.get(name));

/** Milliseconds a call, over enough calls that the clock's grain does not matter. */
function time(run, calls) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return (performance.now() - start) / calls;
}

const callsFor = (run) => {
  run();
  return Math.max(1, Math.ceil(20 / Math.max(time(run, 1), 0.05)));
};

function measure({ n, d, tau, rounds }) {
  pyodide.runPython(`z_a, z_b = make(${n}, ${d})`);
  const rows = (name) => pyodide.runPython(`${name}.tolist()`).toJs();
  const [zA, zB] = [rows("z_a"), rows("z_b")];
  const runs = {
    python: () => value(tau),
    gradients: () => gradients(tau),
    reference: () => ntXent(zA, zB, tau),
  };
  const calls = Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, callsFor(run)]));
  const times = { python: [], gradients: [], reference: [] };
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(runs)) times[name].push(time(runs[name], calls[name]));
  }
  return { times, values: [runs.python(), runs.reference()] };
}

addEventListener("message", (event) => postMessage(measure(event.data)));
postMessage("ready");
