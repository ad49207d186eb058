// The spectral loss: products large for positives, squared for all others (HaoChen et al. 2021, eq. 6).
import { between } from "./between.mjs";
import { dot, mean } from "./plain.mjs";
import * as quick from "./quick.mjs";

export function plain([zA, zB]) {
  const positives = zA.map((row, i) => dot(row, zB[i]));
  const others = zA.flatMap((row, i) => zB.filter((_, j) => j !== i).map((other) => dot(row, other)));
  return -2 * mean(positives) + mean(others.map((x) => x ** 2));
}

export function tuned([zA, zB]) {
  const { n, s, gradA, gradB, fill, back } = between(zA, zB, { unit: false });

  function run(keep) {
    fill(1);
    let pull = 0;
    let push = 0;
    for (let i = 0; i < n; i++) {
      const row = i * n;
      pull += s[row + i];
      s[row + i] = 0;
      push += quick.dot(s, row, s, row, n);
      if (!keep) continue;
      quick.scaleRow(s, row, n, 2 / (n * (n - 1)));
      s[row + i] = -2 / n;
    }
    return push / (n * (n - 1)) - (2 * pull) / n;
  }

  function gradients() {
    const loss = run(true);
    back();
    return loss;
  }

  return { value: () => run(false), gradients, arrays: [gradA, gradB] };
}
