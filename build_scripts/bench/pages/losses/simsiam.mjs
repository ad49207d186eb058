// SimSiam: each view's prediction against the other's embedding, which is held (Chen & He 2021, eq. 4).
import { plain as negativeCosine } from "./negative_cosine.mjs";
import { tunedCrosswise } from "./predictions.mjs";

export const plain = ([pA, pB, zA, zB]) => negativeCosine([pA, zB]) / 2 + negativeCosine([pB, zA]) / 2;
export const tuned = (sets) => tunedCrosswise(sets, -1, 0);
