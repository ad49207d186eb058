// The runtime that readers get, started as its documentation says; it lies beside the folder of these pages.
const base = new URL("../runtime/", import.meta.url).href;
const manifest = await (await fetch(`${base}runtime.json`)).json();
const { loadPyodide } = await import(base + manifest.module);

export const pyodide = await loadPyodide({
  indexURL: base,
  stdLibURL: base + manifest.stdlib,
  lockFileURL: base + manifest.lock,
  packages: manifest.packages,
});
