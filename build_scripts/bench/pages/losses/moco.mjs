// MoCo: InfoNCE whose negatives, unit rows, come from a queue; queries alone learn (He et al. 2020, eq. 1).
import { meanOverQueries, pickAll } from "./info_nce.mjs";
import { unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

export const plain = ([queries, keys, queue], { tau }) =>
  meanOverQueries(queries.map(unit), keys.map(unit), () => queue, tau);

export function tuned(sets, { tau }) {
  const [n, m, d] = [sets[0].length, sets[2].length, sets[0][0].length];
  const [zQ, zK, queue] = sets.map((rows) => quick.flat(rows));
  const [q, k, gradient] = sets.map(() => new Float64Array(n * d));
  const [norms, unused, pull] = sets.map(() => new Float64Array(n));
  const s = new Float64Array(n * m);

  function run(keep) {
    quick.normalize(zQ, q, norms, n, d);
    quick.normalize(zK, k, unused, n, d);
    quick.products(q, queue, s, n, m, d, 1 / tau);
    return pickAll(q, k, s, pull, n, m, d, tau, keep);
  }

  function gradients() {
    const loss = run(true);
    gradient.fill(0);
    quick.combine(s, m, 1, queue, gradient, n, m, d);
    for (let i = 0; i < n; i++) quick.add(gradient, i * d, k, i * d, d, pull[i]);
    quick.normalizeBackward(gradient, q, norms, n, d, 1 / (n * tau));
    return loss;
  }

  return { value: () => run(false), gradients, arrays: [gradient] };
}
