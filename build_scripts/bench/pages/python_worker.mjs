// The engine's NT-Xent in the runtime that readers get.
import { serve, views } from "./timing.mjs";

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

def value(tau):
    return nt_xent_value(z_a, z_b, tau)

def gradients(tau):
    return nt_xent(z_a, z_b, tau).value
`);
const [value, gradients] = ["value", "gradients"].map((name) => pyodide.globals.get(name));

serve(({ n, d, tau }) => {
  pyodide.globals.set("given", pyodide.toPy(views(n, d)));
  pyodide.runPython("z_a, z_b = np.array(given)");
  return { python: () => value(tau), gradients: () => gradients(tau) };
});
postMessage("ready");
