// Assembles WebAssembly texts as side modules of Pyodide: `node assemble.mjs < texts.json`, bytes to stdout.
//
// In: [[name, text], ...]. Out: [bytes in base64, ...] in their order. Exit 1 with the first fault.
import fs from "node:fs";
import wabt from "wabt";

const FEATURES = { simd: true, relaxed_simd: true };
const { parseWat } = await wabt();
// Emscripten loads what begins with this section: of it, that it needs no memory and no table of its own.
const name = new TextEncoder().encode("dylink.0");
const content = [name.length, ...name, 1, 4, 0, 0, 0, 0];
const HEADER = 8;

function assemble([file, text]) {
  const module = parseWat(file, text, FEATURES);
  module.validate(FEATURES);
  const binary = module.toBinary({}).buffer;
  return [...binary.subarray(0, HEADER), 0, content.length, ...content, ...binary.subarray(HEADER)];
}

try {
  const made = JSON.parse(fs.readFileSync(0, "utf8")).map(assemble);
  process.stdout.write(JSON.stringify(made.map((bytes) => Buffer.from(bytes).toString("base64"))));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
