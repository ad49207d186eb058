// JavaScript's loops, never beside Pyodide, where reduce runs many times slower; and each plain loop alone,
// since the compiler shapes what two share, `dot` and `mean`, after the first of them.
import { arrays, nested, serve } from "./timing.mjs";

serve(async ({ module, loop, options, ...size }) => {
  const loss = await import(`./losses/${module}.mjs`);
  const input = arrays(size).map(nested);
  if (loop !== "tuned") return { [loop]: () => loss[loop](input, options) };
  const { value, gradients } = loss.tuned(input, options);
  return { tuned: value, tunedGradients: gradients };
});
postMessage("ready");
