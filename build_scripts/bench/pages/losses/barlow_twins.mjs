// Barlow Twins: columns of the two views agree each with itself and with no other
// (Zbontar et al. 2021, eq. 1).
import { columns, dot, mean, sum } from "./plain.mjs";
import * as quick from "./quick.mjs";

function standardize(column, eps) {
  const middle = mean(column);
  const deviation = Math.sqrt(mean(column.map((x) => (x - middle) ** 2)) + eps);
  return column.map((x) => (x - middle) / deviation);
}

export function plain([zA, zB], { lam, eps }) {
  const [a, b] = [zA, zB].map((z) => columns(z).map((column) => standardize(column, eps)));
  const terms = a.map((left, i) =>
    b.map((right, j) => {
      const c = dot(left, right) / zA.length;
      return i === j ? (1 - c) ** 2 : lam * c ** 2;
    }),
  );
  return sum(terms.flat());
}

export function tuned([zA, zB], { lam, eps }) {
  const n = zA.length;
  const d = zA[0].length;
  const z = [quick.flat(zA), quick.flat(zB)];
  const [a, b] = z.map(() => new Float64Array(d * n)); // columns, (d, n)
  const [turnA, turnB] = z.map(() => new Float64Array(d * n));
  const [spreadA, spreadB] = z.map(() => new Float64Array(d));
  const [gradA, gradB] = z.map(() => new Float64Array(n * d));
  const c = new Float64Array(d * d);

  function standardizeAll(rows, x, spread) {
    quick.transpose(rows, x, n, d);
    for (let j = 0; j < d; j++) {
      const from = j * n;
      const to = from + n;
      let middle = 0;
      for (let i = from; i < to; i++) middle += x[i];
      middle /= n;
      for (let i = from; i < to; i++) x[i] -= middle;
      spread[j] = Math.sqrt(quick.dot(x, from, x, from, n) / n + eps);
      quick.scaleRow(x, from, n, 1 / spread[j]);
    }
  }

  /** The loss; with `keep`, c holds its gradient in the correlations. */
  function correlate(keep) {
    standardizeAll(z[0], a, spreadA);
    standardizeAll(z[1], b, spreadB);
    quick.products(a, b, c, d, d, n, 1 / n);
    let loss = 0;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        const entry = c[i * d + j];
        const missing = i === j ? entry - 1 : entry;
        const weight = i === j ? 1 : lam;
        loss += weight * missing * missing;
        if (keep) c[i * d + j] = 2 * weight * missing;
      }
    }
    return loss;
  }

  function backward(turn, x, spread, gradient) {
    for (let j = 0; j < d; j++) {
      const from = j * n;
      const to = from + n;
      const along = quick.dot(turn, from, x, from, n) / n;
      const factor = 1 / (n * spread[j]);
      for (let i = from; i < to; i++) turn[i] = factor * (turn[i] - along * x[i]);
    }
    quick.transpose(turn, gradient, d, n);
  }

  function gradients() {
    const loss = correlate(true);
    turnA.fill(0);
    turnB.fill(0);
    quick.combine(c, d, 1, b, turnA, d, d, n);
    quick.combine(c, 1, d, a, turnB, d, d, n);
    backward(turnA, a, spreadA, gradA);
    backward(turnB, b, spreadB, gradB);
    return loss;
  }

  return { value: () => correlate(false), gradients, arrays: [gradA, gradB] };
}
