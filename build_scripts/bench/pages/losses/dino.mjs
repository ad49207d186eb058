// DINO: each view's student against the other view's teacher, half of each (Caron et al. 2021, algorithm 1).
// The next centre, which the engine returns too, is not made.
import { plain as crossEntropy, tunedRows } from "./dino_cross_entropy.mjs";
import * as quick from "./quick.mjs";

export const plain = ([studentA, studentB, teacherA, teacherB, center], options) =>
  (crossEntropy([studentA, teacherB, center], options) + crossEntropy([studentB, teacherA, center], options)) / 2;

export const tuned = ([studentA, studentB, teacherA, teacherB, center], options) =>
  tunedRows(quick.flat(studentA, studentB), quick.flat(teacherB, teacherA), quick.flat(center), options);
