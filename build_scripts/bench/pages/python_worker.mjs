// The engine's losses in the runtime that readers get.
import { pyodide } from "./runtime.mjs";
import { arrays, serve } from "./timing.mjs";

const prepare = `
import numpy as np

arrays = [np.array(numbers).reshape(shape) for numbers, shape in given]
del given
called = PAGE[loss]
runs = {"gradients": lambda: called.gradients(*arrays, **called.options).value}
if called.value:
    runs["value"] = lambda: called.value(*arrays, **called.options)
runs
`;
let runs;

serve(({ sources, loss, ...size }) => {
  runs?.destroy();
  if (!pyodide.globals.has("PAGE")) {
    // As modules under their own names, which their imports and a data class ask for.
    for (const [path, text] of Object.entries(sources)) {
      pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
      pyodide.FS.writeFile(path, text);
    }
    pyodide.runPython("from build_scripts.bench.page_losses import PAGE");
  }
  pyodide.globals.set("loss", loss);
  pyodide.globals.set("given", pyodide.toPy(arrays(size).map(({ numbers, shape }) => [numbers, shape])));
  runs = pyodide.runPython(prepare);
  return Object.fromEntries([...runs.keys()].map((name) => [name, runs.get(name)]));
});
postMessage("ready");
