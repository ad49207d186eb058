// JavaScript's loops, in a worker of their own: beside Pyodide, reduce runs many times slower.
import { rows, serve } from "./timing.mjs";

serve(async ({ loss, n, d, sets, options }) => {
  const { plain, kinder, tuned } = await import(`./losses/${loss}.mjs`);
  const input = rows(n, d, sets);
  const quick = tuned(input, options);
  return {
    plain: () => plain(input, options),
    ...(kinder && { kinder: () => kinder(input, options) }),
    tuned: quick.value,
    tunedGradients: quick.gradients,
  };
});
postMessage("ready");
