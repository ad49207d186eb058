// SimCLR on rows the size of the digits (64 numbers), 64-128-64-32, 256 pairs, in the runtime that readers get.
import { pyodide } from "./runtime.mjs";

pyodide.runPython(`
import numpy as np
from sim_engine import encoders, train

rng = np.random.default_rng(0)
prototypes = rng.uniform(0, 1, size=(10, 64))
images = np.clip(prototypes[rng.integers(0, 10, 1437)] + 0.1 * rng.normal(size=(1437, 64)), 0, 1).astype(np.float32)

def views(batch, rng):
    # As much work as a cheap view of a small image: noise, and a brightness of its own for each row.
    noisy = batch + np.float32(0.1) * rng.standard_normal(batch.shape, dtype=np.float32)
    return noisy * rng.uniform(0.7, 1.3, size=(len(batch), 1)).astype(np.float32)

run = train.simclr(
    images, views, encoders.mlp([64, 128, 64], last_relu=True), encoders.mlp([64, 32]),
    steps=100_000, batch_size=256, rng=rng,
)
`);
const step = pyodide.runPython("lambda: next(run).loss");
let loss = step();
addEventListener("message", ({ data }) => {
  const times = [];
  for (let i = 0; i < data; i++) {
    const start = performance.now();
    loss = step();
    times.push(performance.now() - start);
  }
  postMessage({ times, loss });
});
postMessage("ready");
