// What the tuned losses share: flat typed arrays, products in tiles of two by four out of blocks that
// the nearest cache holds, nothing allocated in a loop. A matrix (n, d) lies row after row.

const BLOCK = 32;

/** Arrays of arrays of numbers, one set after the other, as one flat array. */
export const flat = (...sets) => Float64Array.from(sets.flat(Infinity));

/** out[i, j] = scale * a_i . b_j for rows a (n, d) and b (m, d). */
export function products(a, b, out, n, m, d, scale) {
  for (let j = 0; j < m; j += BLOCK) {
    tiles(a, 0, n, b, j, Math.min(j + BLOCK, m), out, m, d, scale);
  }
}

/** out[i, j] = scale * a_i . a_j, (n, n): one triangle is multiplied, the other is its mirror. */
export function gram(a, out, n, d, scale) {
  for (let j = 0; j < n; j += BLOCK) {
    const end = Math.min(j + BLOCK, n);
    tiles(a, j, n, a, j, end, out, n, d, scale);
    for (let i = j; i < n; i++) {
      for (let k = j; k < Math.min(i, end); k++) out[k * n + i] = out[i * n + k];
    }
  }
}

function tiles(a, i0, i1, b, j0, j1, out, m, d, scale) {
  let i = i0;
  for (; i + 1 < i1; i += 2) {
    const p0 = i * d;
    const p1 = p0 + d;
    let j = j0;
    for (; j + 3 < j1; j += 4) {
      const q0 = j * d;
      const q1 = q0 + d;
      const q2 = q1 + d;
      const q3 = q2 + d;
      let c00 = 0;
      let c01 = 0;
      let c02 = 0;
      let c03 = 0;
      let c10 = 0;
      let c11 = 0;
      let c12 = 0;
      let c13 = 0;
      for (let k = 0; k < d; k++) {
        const x0 = a[p0 + k];
        const x1 = a[p1 + k];
        const y0 = b[q0 + k];
        const y1 = b[q1 + k];
        const y2 = b[q2 + k];
        const y3 = b[q3 + k];
        c00 += x0 * y0;
        c01 += x0 * y1;
        c02 += x0 * y2;
        c03 += x0 * y3;
        c10 += x1 * y0;
        c11 += x1 * y1;
        c12 += x1 * y2;
        c13 += x1 * y3;
      }
      const o = i * m + j;
      out[o] = scale * c00;
      out[o + 1] = scale * c01;
      out[o + 2] = scale * c02;
      out[o + 3] = scale * c03;
      out[o + m] = scale * c10;
      out[o + m + 1] = scale * c11;
      out[o + m + 2] = scale * c12;
      out[o + m + 3] = scale * c13;
    }
    for (; j < j1; j++) {
      out[i * m + j] = scale * dot(a, p0, b, j * d, d);
      out[(i + 1) * m + j] = scale * dot(a, p1, b, j * d, d);
    }
  }
  for (; i < i1; i++) {
    for (let j = j0; j < j1; j++) out[i * m + j] = scale * dot(a, i * d, b, j * d, d);
  }
}

/** The product of the d numbers of a from p on with those of b from q on. */
export function dot(a, p, b, q, d) {
  let total = 0;
  for (let k = 0; k < d; k++) total += a[p + k] * b[q + k];
  return total;
}

/** g_i += sum over j of w[i * down + j * along] * u_j, for g (n, d) and u (m, d). */
export function combine(w, down, along, u, g, n, m, d) {
  for (let j0 = 0; j0 < m; j0 += BLOCK) {
    const j1 = Math.min(j0 + BLOCK, m);
    let i = 0;
    for (; i + 1 < n; i += 2) {
      const p0 = i * d;
      const p1 = p0 + d;
      let j = j0;
      for (; j + 3 < j1; j += 4) {
        const o = i * down + j * along;
        const a0 = w[o];
        const a1 = w[o + along];
        const a2 = w[o + 2 * along];
        const a3 = w[o + 3 * along];
        const b0 = w[o + down];
        const b1 = w[o + down + along];
        const b2 = w[o + down + 2 * along];
        const b3 = w[o + down + 3 * along];
        const q0 = j * d;
        const q1 = q0 + d;
        const q2 = q1 + d;
        const q3 = q2 + d;
        for (let k = 0; k < d; k++) {
          const x0 = u[q0 + k];
          const x1 = u[q1 + k];
          const x2 = u[q2 + k];
          const x3 = u[q3 + k];
          g[p0 + k] += a0 * x0 + a1 * x1 + (a2 * x2 + a3 * x3);
          g[p1 + k] += b0 * x0 + b1 * x1 + (b2 * x2 + b3 * x3);
        }
      }
      for (; j < j1; j++) {
        add(g, p0, u, j * d, d, w[i * down + j * along]);
        add(g, p1, u, j * d, d, w[(i + 1) * down + j * along]);
      }
    }
    for (; i < n; i++) {
      for (let j = j0; j < j1; j++) add(g, i * d, u, j * d, d, w[i * down + j * along]);
    }
  }
}

/** g[p..] += factor * u[q..], d numbers. */
export function add(g, p, u, q, d, factor) {
  for (let k = 0; k < d; k++) g[p + k] += factor * u[q + k];
}

/** w = w + its mirror, (n, n), in place and block by block. */
export function symmetrize(w, n) {
  for (let i0 = 0; i0 < n; i0 += BLOCK) {
    for (let j0 = 0; j0 <= i0; j0 += BLOCK) {
      for (let i = i0; i < Math.min(i0 + BLOCK, n); i++) {
        for (let j = j0; j < Math.min(j0 + BLOCK, i + 1); j++) {
          w[i * n + j] = w[j * n + i] = w[i * n + j] + w[j * n + i];
        }
      }
    }
  }
}

/** u = the rows of z (n, d) with length 1, and their lengths. */
export function normalize(z, u, norms, n, d) {
  for (let i = 0; i < n; i++) {
    const at = i * d;
    const norm = (norms[i] = Math.sqrt(dot(z, at, z, at, d)));
    for (let k = at; k < at + d; k++) u[k] = z[k] / norm;
  }
}

/** The gradient in the unit rows, times scale, becomes that in the rows as given, in place. */
export function normalizeBackward(g, u, norms, n, d, scale) {
  for (let i = 0; i < n; i++) {
    const at = i * d;
    const along = dot(g, at, u, at, d);
    const factor = scale / norms[i];
    for (let k = at; k < at + d; k++) g[k] = factor * (g[k] - along * u[k]);
  }
}

/** out (d, n) = the mirror of z (n, d). */
export function transpose(z, out, n, d) {
  for (let i0 = 0; i0 < n; i0 += BLOCK) {
    for (let j = 0; j < d; j++) {
      for (let i = i0; i < Math.min(i0 + BLOCK, n); i++) out[j * n + i] = z[i * d + j];
    }
  }
}

/** The largest of the m numbers of s from o on. */
export function largest(s, o, m) {
  let most = -Infinity;
  for (let j = o; j < o + m; j++) if (s[j] > most) most = s[j];
  return most;
}

/** Overwrites the m numbers of s from o on with exp(s - shift), and returns their sum. */
export function exponentiate(s, o, m, shift) {
  let total = 0;
  for (let j = o; j < o + m; j++) total += s[j] = Math.exp(s[j] - shift);
  return total;
}

/** Multiplies the m numbers of s from o on. */
export function scaleRow(s, o, m, factor) {
  for (let j = o; j < o + m; j++) s[j] *= factor;
}

/**
 * The cross-entropy of the logit `wanted` among itself and the m others of s from o on, l = -log P.
 * With `keep` each of them becomes its probability; what P lacks to 1 is -expm1(-l).
 */
export function pick(s, o, m, wanted, keep) {
  const most = Math.max(wanted, largest(s, o, m));
  const total = exponentiate(s, o, m, most) + Math.exp(wanted - most);
  if (keep) scaleRow(s, o, m, 1 / total);
  return Math.log(total) + most - wanted;
}
