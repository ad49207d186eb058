// What the losses share that predict a target, which is held: BYOL's, SimSiam's, and the terms of both.
import { cosine, mean } from "./plain.mjs";
import * as quick from "./quick.mjs";

/** Plain: the mean cosine of predictions and targets. */
export const meanCosine = (p, z) => mean(p.map((row, i) => cosine(row, z[i])));

/** Tuned: weight times the mean cosine of the rows of both, plus shift. Nothing but dot products is kept. */
export function tunedCosine(p, z, d, weight, shift) {
  const n = p.length / d;
  const gradient = new Float64Array(n * d);

  function run(keep) {
    let total = 0;
    for (let at = 0; at < n * d; at += d) {
      const norm = Math.sqrt(quick.dot(p, at, p, at, d));
      const target = Math.sqrt(quick.dot(z, at, z, at, d));
      const similarity = quick.dot(p, at, z, at, d) / (norm * target);
      total += similarity;
      if (!keep) continue;
      const pull = weight / (n * norm * target);
      const along = (weight * similarity) / (n * norm * norm);
      for (let k = at; k < at + d; k++) gradient[k] = pull * z[k] - along * p[k];
    }
    return (weight * total) / n + shift;
  }

  return { value: () => run(false), gradients: () => run(true), arrays: [gradient] };
}

/** The same of two views: each view's predictions against the other view's targets. */
export const tunedCrosswise = ([pA, pB, zA, zB], weight, shift) =>
  tunedCosine(quick.flat(pA, pB), quick.flat(zB, zA), pA[0].length, weight, shift);
