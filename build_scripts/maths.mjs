// KaTeX for build_scripts/maths.py: one JSON request a line on stdin, one JSON answer a line on stdout.
import { createInterface } from "node:readline";
import katex from "katex";

const render = ({ latex, display, output }) =>
  katex.renderToString(latex, {
    displayMode: display,
    output,
    throwOnError: true,
    // A construct that KaTeX reads but that is not LaTeX would break in print and in exports.
    strict: (code) => (code === "htmlExtension" || code === "unicodeTextInMathMode" ? "ignore" : "error"),
    trust: ({ command }) => {
      // KaTeX would set a refused command in red; a build stops instead.
      if (command !== "\\htmlData") throw new Error(`${command} is not allowed in the book's formulas`);
      return true;
    },
  });

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { html: render(JSON.parse(line)) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
