// DCL: NT-Xent without the positive in its denominator (Yeh et al. 2022, eq. 6).
import { sum } from "./plain.mjs";
import * as quick from "./quick.mjs";
import { meanOverAnchors, tunedOverAnchors } from "./views.mjs";

export const plain = (views, { tau }) =>
  meanOverAnchors(views, tau, (positive, negatives) => Math.log(sum(negatives.map(Math.exp))) - positive);

export const tuned = (views, { tau }) =>
  tunedOverAnchors(views, tau, (s, row, count, i, p, keep) => {
    const wanted = s[row + p];
    s[row + i] = s[row + p] = -Infinity;
    const most = quick.largest(s, row, count);
    const total = quick.exponentiate(s, row, count, most);
    if (keep) {
      quick.scaleRow(s, row, count, 1 / total);
      s[row + p] = -1;
    }
    return Math.log(total) + most - wanted;
  });
