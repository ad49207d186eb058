// CLIP: which caption belongs to this image, and which image to this caption? (Radford et al. 2021, figure 3)
import { between } from "./between.mjs";
import { columns, dot, mean, sum, unit } from "./plain.mjs";
import * as quick from "./quick.mjs";

const LARGEST = 100;
const scaleOf = ({ log_scale: logScale }) => Math.min(Math.exp(logScale), LARGEST);

const crossEntropy = (logits) => mean(logits.map((row, i) => Math.log(sum(row.map(Math.exp))) - row[i]));

export function plain([images, texts], options) {
  const [x, y] = [images, texts].map((z) => z.map(unit));
  const logits = x.map((image) => y.map((text) => scaleOf(options) * dot(image, text)));
  return (crossEntropy(logits) + crossEntropy(columns(logits))) / 2;
}

export function tuned([images, texts], options) {
  const scale = scaleOf(options);
  const { n, d, a, s, gradA, gradB, fill, back, backToGiven } = between(images, texts, { unit: true });
  const [rows, columnSums] = [new Float64Array(n), new Float64Array(n)];
  const gradScale = new Float64Array(1);

  /** The loss; s holds e^(logit - scale), which serves both ways, since no logit is above the scale. */
  function value() {
    fill(scale);
    columnSums.fill(0);
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const row = i * n;
      loss += 2 * (scale - s[row + i]);
      rows[i] = quick.exponentiate(s, row, n, scale);
      quick.add(columnSums, 0, s, row, n, 1);
    }
    for (let i = 0; i < n; i++) loss += Math.log(rows[i]) + Math.log(columnSums[i]);
    return loss / (2 * n);
  }

  function gradients() {
    const loss = value();
    for (let j = 0; j < n; j++) columnSums[j] = 1 / columnSums[j];
    for (let i = 0; i < n; i++) {
      const row = i * n;
      const inverse = 1 / rows[i];
      for (let j = 0; j < n; j++) s[row + j] *= inverse + columnSums[j];
      s[row + i] -= 2;
    }
    back();
    // The logits are linear in the scale, so its slope is the part of the gradient along the rows.
    const free = options.log_scale <= Math.log(LARGEST);
    gradScale[0] = free ? (scale / (2 * n)) * quick.dot(gradA, 0, a, 0, n * d) : 0;
    backToGiven(scale / (2 * n));
    return loss;
  }

  return { value, gradients, arrays: [gradA, gradB, gradScale] };
}
