// NT-Logistic: of every pair of views, alone, is it the same image? (Chen et al. 2020, table 2)
import { sum } from "./plain.mjs";
import { meanOverAnchors, tunedOverAnchors } from "./views.mjs";

const logSigmoid = (x) => -Math.log(1 + Math.exp(-x));

export const plain = (views, { tau }) =>
  meanOverAnchors(
    views,
    tau,
    (positive, negatives) => -logSigmoid(positive) - sum(negatives.map((x) => logSigmoid(-x))),
  );

/** Both anchors of a pair ask the same: each pair is met once, below the diagonal, and counts twice. */
export const tuned = (views, { tau }) =>
  tunedOverAnchors(views, tau, (s, row, count, i, p, keep) => {
    let loss = 0;
    for (let k = 0; k < i; k++) {
      const sign = k === p ? -1 : 1;
      const x = sign * s[row + k];
      const decay = Math.exp(-Math.abs(x));
      loss += Math.max(x, 0) + Math.log1p(decay);
      if (keep) s[row + k] = (2 * sign * (x < 0 ? decay : 1)) / (1 + decay);
    }
    if (keep) s.fill(0, row + i, row + count);
    return 2 * loss;
  });
