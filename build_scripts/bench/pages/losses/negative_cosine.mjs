// SimSiam's term: minus the cosine of prediction and target (Chen & He 2021, eq. 1).
import { meanCosine, tunedCosine } from "./predictions.mjs";
import * as quick from "./quick.mjs";

export const plain = ([p, z]) => -meanCosine(p, z);
export const tuned = ([p, z]) => tunedCosine(quick.flat(p), quick.flat(z), p[0].length, -1, 0);
