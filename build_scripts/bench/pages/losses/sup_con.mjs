// SupCon: all rows of the anchor's class are positives (Khosla et al. 2020, eq. 2). Row i of both views,
// one above the other, is of class i modulo the number of classes.
import { dot, mean, sum, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

export function plain([zA, zB], { tau, classes }) {
  const u = [...zA, ...zB].map(unit);
  return mean(
    u.map((anchor, i) => {
      const logits = u.map((other) => dot(anchor, other) / tau);
      const others = logits.filter((_, k) => k !== i);
      const positives = logits.filter((_, k) => k !== i && (k - i) % classes === 0);
      return Math.log(sum(others.map(Math.exp))) - mean(positives);
    }),
  );
}

export function tuned([zA, zB], { tau, classes }) {
  const count = 2 * zA.length;
  const d = zA[0].length;
  const z = quick.flat(zA, zB);
  const norms = new Float64Array(count);
  const u = new Float64Array(count * d);
  const s = new Float64Array(count * count);
  const gradient = new Float64Array(count * d);

  /** The loss; with `keep`, s holds each row's softmax, less an even share at each positive. */
  function softmax(keep) {
    quick.normalize(z, u, norms, count, d);
    quick.gram(u, s, count, d, 1 / tau);
    let loss = 0;
    for (let i = 0; i < count; i++) {
      const row = i * count;
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
      loss += Math.log(total) + most - wanted / positives;
      if (!keep) continue;
      quick.scaleRow(s, row, count, 1 / total);
      for (let k = i % classes; k < count; k += classes) if (k !== i) s[row + k] -= 1 / positives;
    }
    return loss / count;
  }

  function gradients() {
    const loss = softmax(true);
    quick.symmetrize(s, count);
    gradient.fill(0);
    quick.combine(s, count, 1, u, gradient, count, count, d);
    quick.normalizeBackward(gradient, u, norms, count, d, 1 / (count * tau));
    return loss;
  }

  return { value: () => softmax(false), gradients, arrays: [gradient] };
}
