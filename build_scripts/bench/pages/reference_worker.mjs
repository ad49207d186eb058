// The reference loops, in a worker of their own: beside Pyodide, JavaScript's reduce runs many times slower.
import { ntXent, ntXentNormalized } from "./reference.mjs";
import { serve, views } from "./timing.mjs";

serve(({ n, d, tau }) => {
  const [zA, zB] = views(n, d);
  return { reference: () => ntXent(zA, zB, tau), kinder: () => ntXentNormalized(zA, zB, tau) };
});
postMessage("ready");
