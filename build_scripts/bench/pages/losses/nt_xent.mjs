// NT-Xent: which of the other 2N - 1 views is mine? (Chen et al. 2020, eq. 1)
import { cosine, dot, mean, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";
import { tunedOverAnchors } from "./views.mjs";

/** The usual loop: the cosine of every pair. */
export const plain = ([zA, zB], { tau }) => meanLoss([...zA, ...zB], zA.length, (a, b) => cosine(a, b) / tau);

/** A kinder loop: rows are normalised once, before it. */
export const kinder = ([zA, zB], { tau }) =>
  meanLoss([...zA, ...zB].map(unit), zA.length, (a, b) => dot(a, b) / tau);

function meanLoss(z, n, logit) {
  return mean(
    z.map((anchor, i) => {
      const logits = z.map((other) => logit(anchor, other));
      const total = logits.reduce((sum, x, k) => (k === i ? sum : sum + Math.exp(x)), 0);
      return Math.log(total) - logits[(i + n) % (2 * n)];
    }),
  );
}

export const tuned = (views, { tau }) =>
  tunedOverAnchors(views, tau, (s, row, count, i, p, keep) => {
    const wanted = s[row + p];
    s[row + i] = s[row + p] = -Infinity; // no view is compared with itself
    const loss = quick.pick(s, row, count, wanted, keep);
    if (keep) s[row + p] = Math.expm1(-loss);
    return loss;
  });
