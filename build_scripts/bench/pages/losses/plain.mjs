// What the plain loops share: arrays of arrays, map and reduce, as pages usually write them.

export const sum = (a) => a.reduce((total, x) => total + x, 0);
export const mean = (a) => sum(a) / a.length;
export const dot = (a, b) => a.reduce((total, x, i) => total + x * b[i], 0);
export const length = (a) => Math.sqrt(dot(a, a));
export const cosine = (a, b) => dot(a, b) / (length(a) * length(b));
export const squaredDistance = (a, b) => a.reduce((total, x, i) => total + (x - b[i]) ** 2, 0);
export const columns = (z) => z[0].map((_, j) => z.map((row) => row[j]));

/** The row with length 1. */
export function unit(row) {
  const norm = length(row);
  return row.map((x) => x / norm);
}
