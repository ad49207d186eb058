// The triplet loss of two views, each anchor with every negative within the margin (Schroff et al. 2015).
import { meanOverChosen } from "./triplet_views.mjs";
import { table } from "./views.mjs";

export const plain = (views, { margin }) => meanOverChosen(views, margin, (short) => short);

export function tuned(views, { margin }) {
  const { count, s, gradient, fill, back } = table(views, 1);
  const n = count / 2;
  let chosen = 0;

  function run(keep) {
    fill();
    let loss = 0;
    chosen = 0;
    for (let i = 0; i < count; i++) {
      const row = i * count;
      const p = row + ((i + n) % count);
      const own = s[p];
      s[row + i] = s[p] = -Infinity;
      // A squared distance is 2 - 2 cosines.
      const least = own - margin / 2;
      let taken = 0;
      for (let k = row; k < row + count; k++) {
        const short = s[k] > least;
        if (short) {
          loss += s[k] - least;
          taken += 1;
        }
        if (keep) s[k] = short ? 1 : 0;
      }
      chosen += taken;
      if (keep) s[p] = -taken;
    }
    return chosen ? (2 * loss) / chosen : 0;
  }

  function gradients() {
    const loss = run(true);
    back(chosen ? 2 / chosen : 0);
    return loss;
  }

  return { value: () => run(false), gradients, arrays: [gradient] };
}
