// InfoNCE with negatives of each query's own, (N, K, d) (van den Oord et al. 2018, eq. 4).
import { meanOverQueries, pickAll } from "./info_nce.mjs";
import { unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

export function plain([queries, keys, negatives], { tau }) {
  const own = negatives.map((rows) => rows.map(unit));
  return meanOverQueries(queries.map(unit), keys.map(unit), (i) => own[i], tau);
}

export function tuned(sets, { tau }) {
  const [n, m, d] = [sets[2].length, sets[2][0].length, sets[0][0].length];
  const z = sets.map((rows) => quick.flat(rows));
  const counts = [n, n, n * m];
  const [u, gradient] = [z, z].map((given) => given.map((rows) => new Float64Array(rows.length)));
  const norms = counts.map((count) => new Float64Array(count));
  const [q, k, others] = u;
  const [gradQ, gradK, gradM] = gradient;
  const s = new Float64Array(n * m);
  const pull = new Float64Array(n);

  function run(keep) {
    for (let set = 0; set < 3; set++) quick.normalize(z[set], u[set], norms[set], counts[set], d);
    for (let i = 0; i < n; i++) {
      for (let j = i * m; j < (i + 1) * m; j++) s[j] = quick.dot(q, i * d, others, j * d, d) / tau;
    }
    return pickAll(q, k, s, pull, n, m, d, tau, keep);
  }

  /** Each negative meets one query, so there is no product of tables. */
  function gradients() {
    const loss = run(true);
    for (const rows of gradient) rows.fill(0);
    for (let i = 0; i < n; i++) {
      const at = i * d;
      quick.add(gradQ, at, k, at, d, pull[i]);
      quick.add(gradK, at, q, at, d, pull[i]);
      for (let j = i * m; j < (i + 1) * m; j++) {
        quick.add(gradQ, at, others, j * d, d, s[j]);
        quick.add(gradM, j * d, q, at, d, s[j]);
      }
    }
    for (let set = 0; set < 3; set++) {
      quick.normalizeBackward(gradient[set], u[set], norms[set], counts[set], d, 1 / (n * tau));
    }
    return loss;
  }

  return { value: () => run(false), gradients, arrays: gradient };
}
