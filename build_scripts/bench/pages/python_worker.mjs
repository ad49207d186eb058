// The engine's losses in the runtime that readers get.
import { pyodide } from "./runtime.mjs";
import { rows, serve } from "./timing.mjs";

const prepare = `
import numpy as np

arrays = np.array(given)
called = PAGE[loss]
runs = {"gradients": lambda: called.gradients(*arrays, **called.options).value}
if called.value:
    runs["value"] = lambda: called.value(*arrays, **called.options)
runs
`;
let runs;

serve(({ source, loss, n, d, sets }) => {
  runs?.destroy();
  if (!pyodide.globals.has("PAGE")) {
    // As a module of its own, which a data class asks for.
    pyodide.FS.writeFile("page_losses.py", source);
    pyodide.runPython("from page_losses import PAGE");
  }
  pyodide.globals.set("loss", loss);
  pyodide.globals.set("given", pyodide.toPy(rows(n, d, sets)));
  runs = pyodide.runPython(prepare);
  return Object.fromEntries([...runs.keys()].map((name) => [name, runs.get(name)]));
});
postMessage("ready");
