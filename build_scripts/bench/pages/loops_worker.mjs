// JavaScript's loops, in a worker of their own: beside Pyodide, reduce runs many times slower.
import { arrays, nested, serve } from "./timing.mjs";

serve(async ({ module, loops, options, ...size }) => {
  const { plain, kinder, tuned } = await import(`./losses/${module}.mjs`);
  const input = arrays(size).map(nested);
  const quick = tuned(input, options);
  return {
    ...(loops && { plain: () => plain(input, options) }),
    ...(loops && kinder && { kinder: () => kinder(input, options) }),
    tuned: quick.value,
    tunedGradients: quick.gradients,
  };
});
postMessage("ready");
