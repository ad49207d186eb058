// InfoNCE with negatives that all queries share (van den Oord et al. 2018, eq. 4).
import { dot, mean, sum, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

export function plain([queries, positives, negatives], { tau }) {
  const [q, k, others] = [queries, positives, negatives].map((z) => z.map(unit));
  return mean(
    q.map((query, i) => {
      const positive = Math.exp(dot(query, k[i]) / tau);
      return -Math.log(positive / (positive + sum(others.map((key) => Math.exp(dot(query, key) / tau)))));
    }),
  );
}

export function tuned([queries, positives, negatives], { tau }) {
  const n = queries.length;
  const m = negatives.length;
  const d = queries[0].length;
  const z = [queries, positives, negatives].map((rows) => quick.flat(rows));
  const u = z.map((rows) => new Float64Array(rows.length));
  const norms = [n, n, m].map((count) => new Float64Array(count));
  const [gradQ, gradK, gradM] = z.map((rows) => new Float64Array(rows.length));
  const [q, k, others] = u;
  const s = new Float64Array(n * m);
  const pull = new Float64Array(n);

  /** The loss; with `keep`, s holds the negatives' softmax and `pull` what the positive's lacks to 1. */
  function softmax(keep) {
    quick.normalize(z[0], q, norms[0], n, d);
    quick.normalize(z[1], k, norms[1], n, d);
    quick.normalize(z[2], others, norms[2], m, d);
    quick.products(q, others, s, n, m, d, 1 / tau);
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const row = i * m;
      const wanted = quick.dot(q, i * d, k, i * d, d) / tau;
      const most = Math.max(wanted, quick.largest(s, row, m));
      const rest = quick.exponentiate(s, row, m, most);
      const total = rest + Math.exp(wanted - most);
      loss += Math.log(total) + most - wanted;
      if (!keep) continue;
      quick.scaleRow(s, row, m, 1 / total);
      pull[i] = rest / total;
    }
    return loss / n;
  }

  function gradients() {
    const loss = softmax(true);
    for (const gradient of [gradQ, gradK, gradM]) gradient.fill(0);
    for (let i = 0; i < n; i++) {
      quick.add(gradQ, i * d, k, i * d, d, -pull[i]);
      quick.add(gradK, i * d, q, i * d, d, -pull[i]);
    }
    quick.combine(s, m, 1, others, gradQ, n, m, d);
    quick.combine(s, 1, m, q, gradM, m, n, d);
    quick.normalizeBackward(gradQ, q, norms[0], n, d, 1 / (n * tau));
    quick.normalizeBackward(gradK, k, norms[1], n, d, 1 / (n * tau));
    quick.normalizeBackward(gradM, others, norms[2], m, d, 1 / (n * tau));
    return loss;
  }

  return { value: () => softmax(false), gradients, arrays: [gradQ, gradK, gradM] };
}
