// SupCon: all rows of the anchor's class are positives, averaged outside the logarithm (Khosla et al.
// 2020, eq. 2). Row i of both views, one above the other, is of class i modulo the number of classes.
import { dot, mean, sum, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";
import { tunedOverAnchors } from "./views.mjs";

export const classesOf = ([z], perClass) => Math.max(2, Math.floor((2 * z.length) / perClass));

/** Plain: the mean over anchors of a loss of the logits of its class and of all other rows. */
export function meanOverClasses(views, { tau, per_class: perClass }, loss) {
  const classes = classesOf(views, perClass);
  const u = views.flat().map(unit);
  return mean(
    u.map((anchor, i) => {
      const logits = u.map((other) => dot(anchor, other) / tau);
      const others = logits.filter((_, k) => k !== i);
      const positives = logits.filter((_, k) => k !== i && (k - i) % classes === 0);
      return loss(positives, others);
    }),
  );
}

export const plain = (views, options) =>
  meanOverClasses(
    views,
    options,
    (positives, others) => Math.log(sum(others.map(Math.exp))) - mean(positives),
  );

export function tuned(views, { tau, per_class: perClass }) {
  const classes = classesOf(views, perClass);
  return tunedOverAnchors(views, tau, (s, row, count, i, p, keep) => {
    let wanted = 0;
    let positives = 0;
    for (let k = i % classes; k < count; k += classes) {
      if (k === i) continue;
      wanted += s[row + k];
      positives += 1;
    }
    s[row + i] = -Infinity; // no row is compared with itself
    const most = quick.largest(s, row, count);
    const total = quick.exponentiate(s, row, count, most);
    if (keep) {
      quick.scaleRow(s, row, count, 1 / total);
      for (let k = i % classes; k < count; k += classes) if (k !== i) s[row + k] -= 1 / positives;
    }
    return Math.log(total) + most - wanted / positives;
  });
}
