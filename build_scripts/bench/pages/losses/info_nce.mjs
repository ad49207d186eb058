// InfoNCE with negatives that all queries share (van den Oord et al. 2018, eq. 4).
import { between } from "./between.mjs";
import { dot, mean, sum, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

/** Plain: the mean over queries, all unit, of the key's softmax among it and the negatives of query i. */
export const meanOverQueries = (queries, keys, negativesOf, tau) =>
  mean(
    queries.map((query, i) => {
      const positive = Math.exp(dot(query, keys[i]) / tau);
      const negatives = negativesOf(i).map((key) => Math.exp(dot(query, key) / tau));
      return -Math.log(positive / (positive + sum(negatives)));
    }),
  );

export function plain(sets, { tau }) {
  const [queries, keys, negatives] = sets.map((z) => z.map(unit));
  return meanOverQueries(queries, keys, () => negatives, tau);
}

/**
 * Tuned: the mean loss of n queries q by their keys k and the m negatives each whose logits stand in s. With
 * `keep` s becomes the negatives' shares, and pull[i] minus what the key's lacks to 1.
 */
export function pickAll(q, k, s, pull, n, m, d, tau, keep) {
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const wanted = quick.dot(q, i * d, k, i * d, d) / tau;
    const term = quick.pick(s, i * m, m, wanted, keep);
    loss += term;
    if (keep) pull[i] = Math.expm1(-term);
  }
  return loss / n;
}

export function tuned([queries, keys, negatives], { tau }) {
  const table = between(queries, negatives, { unit: true });
  const { n, m, d, a: q, s, gradA: gradQ, gradB: gradM } = table;
  const z = quick.flat(keys);
  const [k, gradK] = [new Float64Array(n * d), new Float64Array(n * d)];
  const [norms, pull] = [new Float64Array(n), new Float64Array(n)];

  function run(keep) {
    table.fill(1 / tau);
    quick.normalize(z, k, norms, n, d);
    return pickAll(q, k, s, pull, n, m, d, tau, keep);
  }

  function gradients() {
    const loss = run(true);
    table.back();
    gradK.fill(0);
    for (let i = 0; i < n; i++) {
      quick.add(gradQ, i * d, k, i * d, d, pull[i]);
      quick.add(gradK, i * d, q, i * d, d, pull[i]);
    }
    table.backToGiven(1 / (n * tau));
    quick.normalizeBackward(gradK, k, norms, n, d, 1 / (n * tau));
    return loss;
  }

  return { value: () => run(false), gradients, arrays: [gradQ, gradK, gradM] };
}
