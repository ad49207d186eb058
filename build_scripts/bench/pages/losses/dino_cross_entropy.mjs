// DINO's term: the student's softmax against the teacher's, centred and sharpened (Caron et al. 2021, eq. 1).
import { mean, sum } from "./plain.mjs";
import * as quick from "./quick.mjs";

function softmax(row, tau) {
  const most = Math.max(...row);
  const terms = row.map((x) => Math.exp((x - most) / tau));
  const total = sum(terms);
  return terms.map((x) => x / total);
}

export const plain = ([student, teacher, center], { tau_student: tauS, tau_teacher: tauT }) =>
  mean(
    student.map((row, i) => {
      const wanted = softmax(
        teacher[i].map((x, k) => x - center[k]),
        tauT,
      );
      const found = softmax(row, tauS);
      return -sum(wanted.map((p, k) => p * Math.log(found[k])));
    }),
  );

/** Tuned: the same of rows that lie flat, student's and teacher's. */
export function tunedRows(student, teacher, center, { tau_student: tauS, tau_teacher: tauT }) {
  const d = center.length;
  const n = student.length / d;
  const [p, q] = [new Float64Array(d), new Float64Array(d)]; // one row's softmax, the student's and the teacher's
  const gradient = new Float64Array(n * d);

  function run(keep) {
    let loss = 0;
    for (let at = 0; at < n * d; at += d) {
      for (let k = 0; k < d; k++) {
        p[k] = student[at + k] / tauS;
        q[k] = (teacher[at + k] - center[k]) / tauT;
      }
      const most = quick.largest(p, 0, d);
      quick.scaleRow(q, 0, d, 1 / quick.exponentiate(q, 0, d, quick.largest(q, 0, d)));
      // The teacher's shares add up to 1: the student's normalisation leaves the sum.
      const wanted = quick.dot(q, 0, p, 0, d);
      const total = quick.exponentiate(p, 0, d, most);
      loss += Math.log(total) + most - wanted;
      if (!keep) continue;
      for (let k = 0; k < d; k++) gradient[at + k] = (p[k] / total - q[k]) / (n * tauS);
    }
    return loss / n;
  }

  return { value: () => run(false), gradients: () => run(true), arrays: [gradient] };
}

export const tuned = ([student, teacher, center], options) =>
  tunedRows(quick.flat(student), quick.flat(teacher), quick.flat(center), options);
