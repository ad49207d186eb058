// The triplet loss of given triplets (Schroff et al. 2015, eq. 3, as a mean).
import { mean, squaredDistance, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

export function plain(sets, { margin }) {
  const [anchors, positives, negatives] = sets.map((z) => z.map(unit));
  return mean(
    anchors.map((a, i) =>
      Math.max(0, squaredDistance(a, positives[i]) - squaredDistance(a, negatives[i]) + margin),
    ),
  );
}

export function tuned(sets, { margin }) {
  const n = sets[0].length;
  const d = sets[0][0].length;
  const z = sets.map((rows) => quick.flat(rows));
  const u = z.map(() => new Float64Array(n * d));
  const norms = z.map(() => new Float64Array(n));
  const gradient = z.map(() => new Float64Array(n * d));
  const [a, p, q] = u;
  const [gradA, gradP, gradQ] = gradient;

  function run(keep) {
    for (let set = 0; set < 3; set++) quick.normalize(z[set], u[set], norms[set], n, d);
    let loss = 0;
    for (let at = 0; at < n * d; at += d) {
      // A squared distance is 2 - 2 cosines.
      const missing = 2 * (quick.dot(a, at, q, at, d) - quick.dot(a, at, p, at, d)) + margin;
      const short = missing > 0;
      if (short) loss += missing;
      if (!keep) continue;
      for (let k = at; k < at + d; k++) {
        gradA[k] = short ? q[k] - p[k] : 0;
        gradP[k] = short ? -a[k] : 0;
        gradQ[k] = short ? a[k] : 0;
      }
    }
    return loss / n;
  }

  function gradients() {
    const loss = run(true);
    for (let set = 0; set < 3; set++) {
      quick.normalizeBackward(gradient[set], u[set], norms[set], n, d, 2 / n);
    }
    return loss;
  }

  return { value: () => run(false), gradients, arrays: gradient };
}
