// NT-Xent as pages usually write it in JavaScript: arrays of arrays, map and reduce.

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const length = (a) => Math.sqrt(dot(a, a));
const cosine = (a, b) => dot(a, b) / (length(a) * length(b));

/** The usual loop: the cosine of every pair. */
export function ntXent(zA, zB, tau) {
  return meanLoss([...zA, ...zB], zA.length, (a, b) => cosine(a, b) / tau);
}

/** A kinder loop: rows are normalised once, before it. */
export function ntXentNormalized(zA, zB, tau) {
  const unit = [...zA, ...zB].map((row) => {
    const norm = length(row);
    return row.map((x) => x / norm);
  });
  return meanLoss(unit, zA.length, (a, b) => dot(a, b) / tau);
}

function meanLoss(z, n, logit) {
  const losses = z.map((anchor, i) => {
    const logits = z.map((other) => logit(anchor, other));
    const total = logits.reduce((sum, x, k) => (k === i ? sum : sum + Math.exp(x)), 0);
    return Math.log(total) - logits[(i + n) % (2 * n)];
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / (2 * n);
}
