// BYOL's term: the squared distance of prediction and target on the sphere (Grill et al. 2020, eq. 2).
import { meanCosine, tunedCosine } from "./predictions.mjs";
import * as quick from "./quick.mjs";

export const plain = ([p, z]) => 2 - 2 * meanCosine(p, z);
export const tuned = ([p, z]) => tunedCosine(quick.flat(p), quick.flat(z), p[0].length, -2, 2);
