// The triplet loss of two views, each anchor with the nearest of the negatives that lie beyond its
// positive and within the margin (Schroff et al. 2015, sections 3.1 and 3.2).
import { mean, squaredDistance, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";
import { table } from "./views.mjs";

/** Plain: what is missing to the margin, over the triplets that `choose` takes of an anchor's negatives. */
export function meanOverChosen([zA, zB], margin, choose) {
  const u = [...zA, ...zB].map(unit);
  const missing = u.flatMap((anchor, i) => {
    const p = (i + zA.length) % u.length;
    const distances = u.map((other) => squaredDistance(anchor, other));
    const short = distances.filter((x, k) => k !== i && k !== p && x < distances[p] + margin);
    return choose(short, distances[p]).map((x) => distances[p] - x + margin);
  });
  return missing.length ? mean(missing) : 0;
}

export const plain = (views, { margin }) =>
  meanOverChosen(views, margin, (short, positive) => {
    const beyond = short.filter((x) => x > positive);
    return beyond.length ? [Math.min(...beyond)] : [];
  });

export function tuned(views, { margin }) {
  const { count, d, u, norms, s, gradient, fill } = table(views, 1);
  const n = count / 2;
  const nearest = new Int32Array(count);
  let chosen = 0;

  function value() {
    fill();
    let loss = 0;
    chosen = 0;
    for (let i = 0; i < count; i++) {
      const row = i * count;
      const p = (i + n) % count;
      const own = s[row + p];
      s[row + i] = s[row + p] = Infinity;
      // A squared distance is 2 - 2 cosines: beyond the positive is below its cosine.
      const below = own - 8 * Number.EPSILON;
      let best = own - margin / 2;
      nearest[i] = -1;
      for (let k = 0; k < count; k++) {
        const cosine = s[row + k];
        if (cosine > best && cosine < below) {
          best = cosine;
          nearest[i] = k;
        }
      }
      if (nearest[i] < 0) continue;
      loss += 2 * (best - own) + margin;
      chosen += 1;
    }
    return chosen ? loss / chosen : 0;
  }

  /** At most one triplet an anchor: few rows are met, so there is no product of tables. */
  function gradients() {
    const loss = value();
    gradient.fill(0);
    for (let i = 0; i < count; i++) {
      if (nearest[i] < 0) continue;
      const at = i * d;
      const p = ((i + n) % count) * d;
      const k = nearest[i] * d;
      quick.add(gradient, at, u, k, d, 1);
      quick.add(gradient, at, u, p, d, -1);
      quick.add(gradient, k, u, at, d, 1);
      quick.add(gradient, p, u, at, d, -1);
    }
    quick.normalizeBackward(gradient, u, norms, count, d, chosen ? 2 / chosen : 0);
    return loss;
  }

  return { value, gradients, arrays: [gradient] };
}
