// The debiased loss: what false negatives are expected to add is taken out (Chuang et al. 2020).
import { mean } from "./plain.mjs";
import * as quick from "./quick.mjs";
import { meanOverAnchors, tunedOverAnchors } from "./views.mjs";

/** Plain: one anchor's loss, by e^(s / tau) of its positive and the mean of the K negatives' own. */
export function plainDebiased(positive, average, count, { tau, tau_plus: tauPlus }) {
  const g = Math.max((average - tauPlus * positive) / (1 - tauPlus), Math.exp(-1 / tau));
  return -Math.log(positive / (positive + count * g));
}

/**
 * Tuned: the same of sums of e^(s / tau - most), as a function of the K negatives' sum `rest`. It writes to
 * `found` the coefficient of the positive's logit and what a derivative of `rest` is multiplied by.
 */
export function debias(rest, wanted, most, count, { tau, tau_plus: tauPlus }, found) {
  const positive = Math.exp(wanted - most);
  const floor = count * Math.exp(-1 / tau - most);
  const estimate = (rest - tauPlus * count * positive) / (1 - tauPlus);
  const above = estimate > floor;
  const negatives = above ? estimate : floor;
  const total = positive + negatives;
  found[1] = above ? 1 / ((1 - tauPlus) * total) : 0;
  found[0] = above ? -found[1] * rest : -negatives / total;
  return Math.log(total) + most - wanted;
}

export const plain = (views, options) =>
  meanOverAnchors(views, options.tau, (positive, negatives) =>
    plainDebiased(Math.exp(positive), mean(negatives.map(Math.exp)), negatives.length, options),
  );

export function tuned(views, options) {
  const found = new Float64Array(2);
  return tunedOverAnchors(views, options.tau, (s, row, count, i, p, keep) => {
    const wanted = s[row + p];
    s[row + i] = s[row + p] = -Infinity;
    const most = Math.max(wanted, quick.largest(s, row, count));
    const rest = quick.exponentiate(s, row, count, most);
    const loss = debias(rest, wanted, most, count - 2, options, found);
    if (keep) {
      quick.scaleRow(s, row, count, found[1]);
      s[row + p] = found[0];
    }
    return loss;
  });
}
