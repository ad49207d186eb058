// What both workers of the loss benchmark share: the input, and how a call is timed.

/** The same two views in every run (Marsaglia's xorshift32), as rows of plain numbers. */
export function views(n, d) {
  let state = n * 1000 + d;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
  const rows = () => Array.from({ length: n }, () => Array.from({ length: d }, next));
  return [rows(), rows()];
}

/** Answers `prepare` by making `runs` ({name: function}), and `round` by timing each of them. */
export function serve(prepare) {
  let runs = {};
  let calls = {};
  addEventListener("message", ({ data }) => {
    if (data.type === "prepare") {
      runs = prepare(data);
      for (const [name, run] of Object.entries(runs)) {
        // Twice before it counts: the compiler has then seen the types.
        run();
        run();
        calls[name] = Math.max(1, Math.ceil(20 / Math.max(time(run, 1), 0.05)));
      }
      postMessage(Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, run()])));
    } else {
      postMessage(Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, time(run, calls[name])])));
    }
  });
}

/** Milliseconds a call, over enough calls that the clock's grain does not matter. */
function time(run, count) {
  const start = performance.now();
  for (let i = 0; i < count; i++) run();
  return (performance.now() - start) / count;
}
