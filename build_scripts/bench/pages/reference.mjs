// NT-Xent as pages usually write it in JavaScript: arrays of arrays, map and reduce. Rows are
// normalised once, before the loops, which is kinder than most.

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

const normalized = (rows) =>
  rows.map((row) => {
    const length = Math.sqrt(dot(row, row));
    return row.map((x) => x / length);
  });

export function ntXent(zA, zB, tau) {
  const z = normalized([...zA, ...zB]);
  const n = zA.length;
  const losses = z.map((anchor, i) => {
    const logits = z.map((other) => dot(anchor, other) / tau);
    const total = logits.reduce((sum, logit, k) => (k === i ? sum : sum + Math.exp(logit)), 0);
    return Math.log(total) - logits[(i + n) % (2 * n)];
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / (2 * n);
}
