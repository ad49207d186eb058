// BYOL: each view's prediction against the other view's target, which is held (Grill et al. 2020, eq. 2).
import { plain as normalizedMse } from "./normalized_mse.mjs";
import { tunedCrosswise } from "./predictions.mjs";

export const plain = ([pA, pB, zA, zB]) => normalizedMse([pA, zB]) + normalizedMse([pB, zA]);
export const tuned = (sets) => tunedCrosswise(sets, -4, 4); // two means, each over half of the rows
