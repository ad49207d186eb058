// VICReg: views agree, no column dies, no two columns say the same (Bardes, Ponce, LeCun 2022, eq. 6).
import { columns, dot, mean, squaredDistance, sum } from "./plain.mjs";
import * as quick from "./quick.mjs";

export function plain([zA, zB], { invariance, variance, covariance, gamma, eps }) {
  const n = zA.length;
  let loss = invariance * mean(zA.map((row, i) => squaredDistance(row, zB[i])));
  for (const z of [zA, zB]) {
    const centred = columns(z).map((column) => {
      const middle = mean(column);
      return column.map((x) => x - middle);
    });
    const c = centred.map((left) => centred.map((right) => dot(left, right) / (n - 1)));
    loss += variance * mean(c.map((row, j) => Math.max(0, gamma - Math.sqrt(row[j] + eps))));
    const others = c.flatMap((row, i) => row.filter((_, j) => j !== i));
    loss += (covariance * sum(others.map((x) => x ** 2))) / c.length;
  }
  return loss;
}

export function tuned([zA, zB], { invariance, variance, covariance, gamma, eps }) {
  const n = zA.length;
  const d = zA[0].length;
  const [a, b] = [quick.flat(zA), quick.flat(zB)];
  const x = new Float64Array(d * n); // columns, (d, n)
  const turn = new Float64Array(d * n);
  const c = new Float64Array(d * d);
  const [gradA, gradB] = [new Float64Array(n * d), new Float64Array(n * d)];

  /** Variance and covariance of one view; with `gradient`, what they add to it is written there. */
  function spread(z, gradient) {
    quick.transpose(z, x, n, d);
    for (let j = 0; j < d; j++) {
      let middle = 0;
      for (let i = j * n; i < (j + 1) * n; i++) middle += x[i];
      middle /= n;
      for (let i = j * n; i < (j + 1) * n; i++) x[i] -= middle;
    }
    quick.gram(x, c, d, n, 1 / (n - 1));
    let loss = 0;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        const entry = c[i * d + j];
        if (i !== j) {
          loss += (covariance * entry * entry) / d;
          c[i * d + j] = (entry * 4 * covariance) / (d * (n - 1));
          continue;
        }
        const deviation = Math.sqrt(entry + eps);
        const short = deviation < gamma;
        if (short) loss += (variance * (gamma - deviation)) / d;
        c[i * d + j] = short ? -variance / (d * (n - 1) * deviation) : 0;
      }
    }
    if (!gradient) return loss;
    turn.fill(0);
    quick.combine(c, d, 1, x, turn, d, d, n);
    quick.transpose(turn, gradient, d, n);
    return loss;
  }

  function run(keep) {
    let loss = spread(a, keep && gradA) + spread(b, keep && gradB);
    for (let i = 0; i < n * d; i++) {
      const apart = a[i] - b[i];
      loss += (invariance * apart * apart) / n;
      if (!keep) continue;
      gradA[i] += (2 * invariance * apart) / n;
      gradB[i] -= (2 * invariance * apart) / n;
    }
    return loss;
  }

  return { value: () => run(false), gradients: () => run(true), arrays: [gradA, gradB] };
}
