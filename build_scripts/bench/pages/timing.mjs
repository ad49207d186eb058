// What both workers of the loss benchmark share: the input, and how a call is timed.

const GRAIN = 20; // ms of one reading
const SLOW = 500; // ms from which a call is not repeated for the compiler's sake

/** The same sets of n rows in every run (Marsaglia's xorshift32), of plain numbers. */
export function rows(n, d, sets) {
  let state = n * 1000 + d;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
  const one = () => Array.from({ length: n }, () => Array.from({ length: d }, next));
  return Array.from({ length: sets }, one);
}

/** Answers `prepare` with the values of the `runs` ({name: function}) made, and `round` with their times. */
export function serve(prepare) {
  let runs = {};
  let calls = {};
  addEventListener("message", async ({ data }) => {
    if (data.type === "prepare") {
      runs = await prepare(data);
      const values = {};
      for (const [name, run] of Object.entries(runs)) {
        const first = time(() => (values[name] = run()), 1);
        // Once more before it counts: the compiler has then seen the types.
        if (first < SLOW) run();
        calls[name] = first < SLOW ? Math.ceil(GRAIN / Math.max(time(run, 1), 0.05)) : 1;
      }
      postMessage(values);
    } else {
      const timed = Object.entries(runs).map(([name, run]) => [name, time(run, calls[name])]);
      postMessage(Object.fromEntries(timed));
    }
  });
}

/** Milliseconds a call, over enough calls that the clock's grain does not matter. */
function time(run, count) {
  const start = performance.now();
  for (let i = 0; i < count; i++) run();
  return (performance.now() - start) / count;
}
