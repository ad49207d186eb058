// What losses share that compare the rows of one array with those of another, (N, d) with (M, d).
import * as quick from "./quick.mjs";

/** Tuned: the table s of all products, (N, M), and the way back to both from coefficients that stand in it. */
export function between(left, right, { unit }) {
  const [n, m, d] = [left.length, right.length, left[0].length];
  const [zA, zB] = [quick.flat(left), quick.flat(right)];
  const [a, b] = unit ? [new Float64Array(n * d), new Float64Array(m * d)] : [zA, zB];
  const [normsA, normsB] = [new Float64Array(n), new Float64Array(m)];
  const [gradA, gradB] = [new Float64Array(n * d), new Float64Array(m * d)];
  const s = new Float64Array(n * m);

  function fill(scale) {
    if (unit) {
      quick.normalize(zA, a, normsA, n, d);
      quick.normalize(zB, b, normsB, m, d);
    }
    quick.products(a, b, s, n, m, d, scale);
  }

  /** Both gradients, in the rows as they were multiplied. */
  function back() {
    gradA.fill(0);
    gradB.fill(0);
    quick.combine(s, m, 1, b, gradA, n, m, d);
    quick.combine(s, 1, m, a, gradB, m, n, d);
  }

  /** The same in unit rows become those in the rows as given. */
  function backToGiven(scale) {
    quick.normalizeBackward(gradA, a, normsA, n, d, scale);
    quick.normalizeBackward(gradB, b, normsB, m, d, scale);
  }

  return { n, m, d, a, b, s, gradA, gradB, fill, back, backToGiven };
}
