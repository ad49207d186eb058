// N-pair: the anchor's own partner against the partners of the others, by inner product (Sohn 2016).
import { between } from "./between.mjs";
import { dot, mean, sum } from "./plain.mjs";
import * as quick from "./quick.mjs";

export const plain = ([zA, zB]) =>
  mean(
    zA.map((anchor, i) => {
      const own = dot(anchor, zB[i]);
      const others = zB.filter((_, j) => j !== i);
      return Math.log(1 + sum(others.map((other) => Math.exp(dot(anchor, other) - own))));
    }),
  );

export function tuned([zA, zB]) {
  const { n, s, gradA, gradB, fill, back } = between(zA, zB, { unit: false });

  function run(keep) {
    fill(1);
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const row = i * n;
      const wanted = s[row + i];
      s[row + i] = -Infinity;
      const term = quick.pick(s, row, n, wanted, keep);
      loss += term;
      if (!keep) continue;
      s[row + i] = Math.expm1(-term);
      quick.scaleRow(s, row, n, 1 / n);
    }
    return loss / n;
  }

  function gradients() {
    const loss = run(true);
    back();
    return loss;
  }

  return { value: () => run(false), gradients, arrays: [gradA, gradB] };
}
