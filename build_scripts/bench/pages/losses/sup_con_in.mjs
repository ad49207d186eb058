// SupCon with the rows of the anchor's class averaged inside the logarithm (Khosla et al. 2020, eq. 3).
import { mean, sum } from "./plain.mjs";
import * as quick from "./quick.mjs";
import { classesOf, meanOverClasses } from "./sup_con.mjs";
import { tunedOverAnchors } from "./views.mjs";

export const plain = (views, options) =>
  meanOverClasses(
    views,
    options,
    (positives, others) => -Math.log(mean(positives.map(Math.exp)) / sum(others.map(Math.exp))),
  );

export function tuned(views, { tau, per_class: perClass }) {
  const classes = classesOf(views, perClass);
  return tunedOverAnchors(views, tau, (s, row, count, i, p, keep) => {
    s[row + i] = -Infinity;
    const total = quick.exponentiate(s, row, count, quick.largest(s, row, count));
    let own = 0;
    let positives = -1; // the anchor, whose term is 0
    for (let k = i % classes; k < count; k += classes) {
      own += s[row + k];
      positives += 1;
    }
    if (keep) {
      quick.scaleRow(s, row, count, 1 / total);
      for (let k = i % classes; k < count; k += classes) s[row + k] *= 1 - total / own;
    }
    return Math.log((positives * total) / own);
  });
}
