// BYOL: each view's prediction against the other view's target, which is held (Grill et al. 2020, eq. 2).
import { cosine, mean } from "./plain.mjs";
import * as quick from "./quick.mjs";

const normalizedMse = (p, z) => mean(p.map((row, i) => 2 - 2 * cosine(row, z[i])));

export const plain = ([pA, pB, zA, zB]) => normalizedMse(pA, zB) + normalizedMse(pB, zA);

export function tuned([pA, pB, zA, zB]) {
  const n = 2 * pA.length;
  const d = pA[0].length;
  const [p, z] = [quick.flat(pA, pB), quick.flat(zB, zA)];
  const [u, v] = [new Float64Array(n * d), new Float64Array(n * d)];
  const [norms, unused] = [new Float64Array(n), new Float64Array(n)];
  const gradient = new Float64Array(n * d);

  function value() {
    quick.normalize(p, u, norms, n, d);
    quick.normalize(z, v, unused, n, d);
    let loss = 0;
    for (let i = 0; i < n * d; i++) {
      const apart = u[i] - v[i];
      gradient[i] = apart;
      loss += apart * apart;
    }
    return (2 * loss) / n; // each view's mean is over half of the rows
  }

  function gradients() {
    const loss = value();
    quick.normalizeBackward(gradient, u, norms, n, d, 4 / n);
    return loss;
  }

  return { value, gradients, arrays: [gradient] };
}
