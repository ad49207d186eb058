// What both workers of the loss benchmark share: the input, and how a call is timed.

const GRAIN = 20; // ms of one reading
// ms from which a call is its own reading, and a plain loop's; `loss.py` states the rule
const SLOW = 500;
const SLOW_LOOP = 100;
// ms for which a loss with a target is called before it counts: compilers improve what is called often;
// `loss.py` states this rule too
const WARM = 400;

/**
 * Arrays of the given shapes, in which "n" and "d" stand for the size: the same numbers in every run
 * (Marsaglia's xorshift32). With `unit` the rows of the last have length 1.
 */
export function arrays({ n, d, shapes, unit }) {
  let state = n * 1000 + d;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
  const made = shapes.map((given) => {
    const shape = given.map((size) => ({ n, d })[size] ?? size);
    const numbers = new Float64Array(shape.reduce((a, b) => a * b));
    return { shape, numbers: numbers.map(next) };
  });
  if (unit) {
    const { numbers } = made.at(-1);
    for (let at = 0; at < numbers.length; at += d) {
      const row = numbers.subarray(at, at + d);
      const length = Math.hypot(...row);
      for (let k = 0; k < d; k++) row[k] /= length;
    }
  }
  return made;
}

/**
 * One of them as arrays of arrays of plain numbers.
 *
 * V8 keeps the numbers of `[...numbers]` as objects, each in a box of its own, and those of `Array.from` side
 * by side, as those of a literal or of `push`: the same loop over the former takes three to ten times as long.
 */
export function nested({ shape: [first, ...rest], numbers }) {
  if (rest.length === 0) return Array.from(numbers);
  const size = numbers.length / first;
  return Array.from({ length: first }, (_, i) =>
    nested({ shape: rest, numbers: numbers.subarray(i * size, (i + 1) * size) }),
  );
}

/**
 * Answers `prepare` with the values of the `runs` ({name: function}) made, the times of those that are slow,
 * but for those named in `judged`, and what those say that throw; and `round` with the times of all others.
 */
export function serve(prepare) {
  let runs = {};
  let calls = {};

  async function answer(data) {
    if (data.type === "round") {
      const timed = Object.entries(runs).map(([name, run]) => [name, time(run, calls[name])]);
      return { times: Object.fromEntries(timed) };
    }
    const values = {};
    const times = {};
    const thrown = {};
    runs = await prepare(data);
    for (const [name, run] of Object.entries(runs)) {
      let first;
      try {
        first = time(() => (values[name] = run()), 1);
      } catch (error) {
        thrown[name] = String(error).trim().split("\n").at(-1);
        delete runs[name];
        continue;
      }
      const slow = first > SLOW;
      if (!slow) run(); // before it counts: the compiler has then seen the types
      const took = slow ? first : time(run, 1);
      const loop = name === "plain" || name === "kinder";
      if (!data.judged.includes(name) && (slow || (loop && took > SLOW_LOOP))) {
        times[name] = took;
        delete runs[name];
        continue;
      }
      calls[name] = Math.ceil(GRAIN / Math.max(took, 0.05));
      if (data.judged.includes(name)) {
        const start = performance.now();
        while (performance.now() - start < WARM) run();
      }
    }
    return { values, times, thrown };
  }

  addEventListener("message", async ({ data }) => {
    postMessage(await answer(data).catch((error) => ({ failed: String(error) })));
  });
}

/** Milliseconds a call, over enough calls that the clock's grain does not matter. */
function time(run, count) {
  const start = performance.now();
  for (let i = 0; i < count; i++) run();
  return (performance.now() - start) / count;
}
