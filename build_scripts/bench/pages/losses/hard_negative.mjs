// The debiased loss with each negative weighed by a power of its own term (Robinson et al. 2021).
import { debias, plainDebiased } from "./debiased.mjs";
import { sum } from "./plain.mjs";
import * as quick from "./quick.mjs";
import { meanOverAnchors, tunedOverAnchors } from "./views.mjs";

export const plain = (views, options) =>
  meanOverAnchors(views, options.tau, (positive, negatives) => {
    const weights = negatives.map((x) => Math.exp(options.beta * x));
    const average = sum(negatives.map((x, k) => weights[k] * Math.exp(x))) / sum(weights);
    return plainDebiased(Math.exp(positive), average, negatives.length, options);
  });

/** For beta > 0. */
export function tuned(views, options) {
  const { tau, beta } = options;
  const weights = new Float64Array(2 * views[0].length);
  const found = new Float64Array(2);
  return tunedOverAnchors(views, tau, (s, row, count, i, p, keep) => {
    const wanted = s[row + p];
    s[row + i] = s[row + p] = -Infinity;
    const most = Math.max(wanted, quick.largest(s, row, count));
    let total = 0;
    let average = 0;
    for (let k = 0; k < count; k++) {
      const x = s[row + k] - most;
      const e = (s[row + k] = Math.exp(x));
      const weight = (weights[k] = beta === 1 ? e : Math.exp(beta * x));
      total += weight;
      average += weight * e;
    }
    average /= total;
    const loss = debias((count - 2) * average, wanted, most, count - 2, options, found);
    if (!keep) return loss;
    const push = ((count - 2) * found[1]) / total;
    for (let k = 0; k < count; k++) {
      s[row + k] = push * weights[k] * ((1 + beta) * s[row + k] - beta * average);
    }
    s[row + p] = found[0];
    return loss;
  });
}
