// Alignment of the positives, and uniformity of each view (Wang & Isola 2020, section 4.1).
import { mean, squaredDistance, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

export function plain([zA, zB], { alpha, t }) {
  const [a, b] = [zA, zB].map((z) => z.map(unit));
  const alignment = mean(a.map((row, i) => Math.sqrt(squaredDistance(row, b[i])) ** alpha));
  const [uniformA, uniformB] = [a, b].map((u) => {
    const pairs = u.flatMap((row, i) => u.slice(i + 1).map((other) => squaredDistance(row, other)));
    return Math.log(mean(pairs.map((x) => Math.exp(-t * x))));
  });
  return alignment + (uniformA + uniformB) / 2;
}

export function tuned([zA, zB], { alpha, t }) {
  const n = zA.length;
  const d = zA[0].length;
  const z = [quick.flat(zA), quick.flat(zB)];
  const [u, gradient] = [z, z].map((given) => given.map(() => new Float64Array(n * d)));
  const norms = z.map(() => new Float64Array(n));
  const s = new Float64Array(n * n); // of one view after the other

  /** One view's uniformity; with `keep` half of its gradient in the unit rows is written. */
  function uniformity(view, keep) {
    quick.gram(u[view], s, n, d, 2 * t);
    let total = 0;
    for (let i = 0; i < n; i++) {
      // A squared distance is 2 - 2 cosines; each pair is met once, below the diagonal.
      total += quick.exponentiate(s, i * n, i, 2 * t);
      if (keep) s.fill(0, i * n + i, (i + 1) * n);
    }
    if (keep) {
      quick.symmetrize(s, n);
      gradient[view].fill(0);
      quick.combine(s, n, 1, u[view], gradient[view], n, n, d);
      quick.scaleRow(gradient[view], 0, n * d, t / total);
    }
    return Math.log((2 * total) / (n * (n - 1)));
  }

  function alignment(keep) {
    const [a, b] = u;
    let loss = 0;
    for (let at = 0; at < n * d; at += d) {
      let square = 0;
      for (let k = at; k < at + d; k++) square += (a[k] - b[k]) ** 2;
      const power = alpha === 2 ? square : square ** (alpha / 2);
      loss += power / n;
      if (!keep || square === 0) continue;
      const slope = (alpha * power) / (square * n);
      for (let k = at; k < at + d; k++) {
        const pull = slope * (a[k] - b[k]);
        gradient[0][k] += pull;
        gradient[1][k] -= pull;
      }
    }
    return loss;
  }

  function run(keep) {
    for (const view of [0, 1]) quick.normalize(z[view], u[view], norms[view], n, d);
    return (uniformity(0, keep) + uniformity(1, keep)) / 2 + alignment(keep);
  }

  function gradients() {
    const loss = run(true);
    for (const view of [0, 1]) quick.normalizeBackward(gradient[view], u[view], norms[view], n, d, 1);
    return loss;
  }

  return { value: () => run(false), gradients, arrays: gradient };
}
