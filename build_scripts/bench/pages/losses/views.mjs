// What losses of two views share whose anchors are all 2N rows, one view above the other: the positive
// of row i is row i + N, counted round the end, and every other row is a negative.
import { dot, mean, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

/** Plain: the mean over anchors of a loss of the positive's logit and of those of the negatives. */
export function meanOverAnchors([zA, zB], tau, loss) {
  const u = [...zA, ...zB].map(unit);
  return mean(
    u.map((anchor, i) => {
      const p = (i + zA.length) % u.length;
      const logits = u.map((other) => dot(anchor, other) / tau);
      const negatives = logits.filter((_, k) => k !== i && k !== p);
      return loss(logits[p], negatives);
    }),
  );
}

/** Tuned: the table s of all cosines over tau, (2N, 2N), and the way back from coefficients that stand in it. */
export function table([zA, zB], tau) {
  const count = 2 * zA.length;
  const d = zA[0].length;
  const z = quick.flat(zA, zB);
  const norms = new Float64Array(count);
  const u = new Float64Array(count * d);
  const s = new Float64Array(count * count);
  const gradient = new Float64Array(count * d);

  function fill() {
    quick.normalize(z, u, norms, count, d);
    quick.gram(u, s, count, d, 1 / tau);
  }

  /** A row is pulled as an anchor, and as others' positive or negative. */
  function back(scale) {
    quick.symmetrize(s, count);
    gradient.fill(0);
    quick.combine(s, count, 1, u, gradient, count, count, d);
    quick.normalizeBackward(gradient, u, norms, count, d, scale);
  }

  return { count, d, u, norms, s, gradient, fill, back };
}

/**
 * Tuned: the mean over anchors of ofRow(s, row, count, i, p, keep), which reads the logits of anchor i
 * in s from `row` on, p its positive, returns its loss, and with `keep` leaves its gradient in them.
 */
export function tunedOverAnchors(sets, tau, ofRow) {
  const { count, s, gradient, fill, back } = table(sets, tau);
  const n = count / 2;

  function run(keep) {
    fill();
    let loss = 0;
    for (let i = 0; i < count; i++) loss += ofRow(s, i * count, count, i, (i + n) % count, keep);
    return loss / count;
  }

  function gradients() {
    const loss = run(true);
    back(1 / (count * tau));
    return loss;
  }

  return { value: () => run(false), gradients, arrays: [gradient] };
}
