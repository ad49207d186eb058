// NT-Xent: which of the other 2N - 1 views is mine? (Chen et al. 2020, eq. 1)
import { cosine, dot, mean, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

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

export function tuned([zA, zB], { tau }) {
  const n = zA.length;
  const d = zA[0].length;
  const count = 2 * n;
  const z = quick.flat(zA, zB);
  const norms = new Float64Array(count);
  const u = new Float64Array(count * d);
  const s = new Float64Array(count * count);
  const gradient = new Float64Array(count * d);

  /** The loss; s holds each row's terms, and with `keep` its softmax, less one at the positive. */
  function softmax(keep) {
    quick.normalize(z, u, norms, count, d);
    quick.gram(u, s, count, d, 1 / tau);
    let loss = 0;
    for (let i = 0; i < count; i++) {
      const row = i * count;
      const positive = row + ((i + n) % count);
      const wanted = s[positive];
      s[row + i] = -Infinity; // no view is compared with itself
      const most = quick.largest(s, row, count);
      const total = quick.exponentiate(s, row, count, most);
      loss += Math.log(total) + most - wanted;
      if (!keep) continue;
      quick.scaleRow(s, row, count, 1 / total);
      s[positive] -= 1;
    }
    return loss / count;
  }

  function gradients() {
    const loss = softmax(true);
    quick.symmetrize(s, count); // a row is pulled as an anchor, and as others' positive or negative
    gradient.fill(0);
    quick.combine(s, count, 1, u, gradient, count, count, d);
    quick.normalizeBackward(gradient, u, norms, count, d, 1 / (count * tau));
    return loss;
  }

  return { value: () => softmax(false), gradients, arrays: [gradient] };
}
