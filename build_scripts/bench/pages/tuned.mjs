// NT-Xent as one writes it in JavaScript when it has to be quick: flat typed arrays, rows normalised
// once, every pair of rows multiplied once, four products at a time, nothing allocated in the loops.

/** Returns value and both gradients' function for views of n rows of d numbers, given as rows. */
export function tuned(zA, zB) {
  const n = zA.length;
  const d = zA[0].length;
  const count = 2 * n;
  const z = Float64Array.from([...zA, ...zB].flat());
  const norms = new Float64Array(count);
  const u = new Float64Array(count * d);
  const s = new Float64Array(count * count);
  const gradient = new Float64Array(count * d);

  function similarities(inverse) {
    for (let i = 0; i < count; i++) {
      let square = 0;
      for (let k = i * d; k < (i + 1) * d; k++) square += z[k] * z[k];
      norms[i] = Math.sqrt(square);
      for (let k = i * d; k < (i + 1) * d; k++) u[k] = z[k] / norms[i];
    }
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < i; j++) s[i * count + j] = s[j * count + i] = inverse * dot(i * d, j * d);
    }
  }

  function dot(a, b) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let k = 0;
    for (; k + 3 < d; k += 4) {
      s0 += u[a + k] * u[b + k];
      s1 += u[a + k + 1] * u[b + k + 1];
      s2 += u[a + k + 2] * u[b + k + 2];
      s3 += u[a + k + 3] * u[b + k + 3];
    }
    for (; k < d; k++) s0 += u[a + k] * u[b + k];
    return s0 + s1 + (s2 + s3);
  }

  /** The loss; `keep` leaves each row's softmax, less one at the positive, in s. */
  function softmax(tau, keep) {
    similarities(1 / tau);
    let loss = 0;
    for (let i = 0; i < count; i++) {
      const row = i * count;
      const positive = row + ((i + n) % count);
      const wanted = s[positive];
      let largest = -Infinity;
      for (let j = 0; j < count; j++) if (j !== i && s[row + j] > largest) largest = s[row + j];
      let total = 0;
      for (let j = 0; j < count; j++) {
        if (j === i) continue;
        const term = Math.exp(s[row + j] - largest);
        total += term;
        if (keep) s[row + j] = term;
      }
      loss += Math.log(total) + largest - wanted;
      if (!keep) continue;
      const share = 1 / total;
      for (let j = 0; j < count; j++) s[row + j] *= share;
      s[row + i] = 0;
      s[positive] -= 1;
    }
    return loss / count;
  }

  function gradients(tau) {
    const loss = softmax(tau, true);
    gradient.fill(0);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < i; j++) {
        // Row i pulls j as its anchor, and is pulled by it as its positive or negative.
        const both = s[i * count + j] + s[j * count + i];
        const a = i * d;
        const b = j * d;
        for (let k = 0; k < d; k++) {
          gradient[a + k] += both * u[b + k];
          gradient[b + k] += both * u[a + k];
        }
      }
    }
    const scale = 1 / (count * tau);
    for (let i = 0; i < count; i++) {
      const at = i * d;
      let along = 0;
      for (let k = 0; k < d; k++) along += gradient[at + k] * u[at + k];
      for (let k = 0; k < d; k++) gradient[at + k] = (scale * (gradient[at + k] - along * u[at + k])) / norms[i];
    }
    return loss;
  }

  return { value: (tau) => softmax(tau, false), gradients, gradient };
}
