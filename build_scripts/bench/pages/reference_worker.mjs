// JavaScript's loops, in a worker of their own: beside Pyodide, reduce runs many times slower.
import { ntXent, ntXentNormalized } from "./reference.mjs";
import { serve, views } from "./timing.mjs";
import { tuned } from "./tuned.mjs";

serve(({ n, d, tau }) => {
  const [zA, zB] = views(n, d);
  const quick = tuned(zA, zB);
  return {
    reference: () => ntXent(zA, zB, tau),
    kinder: () => ntXentNormalized(zA, zB, tau),
    tuned: () => quick.value(tau),
    tunedGradients: () => quick.gradients(tau),
  };
});
postMessage("ready");
