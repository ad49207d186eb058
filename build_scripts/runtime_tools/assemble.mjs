// Assembles a WebAssembly text as a side module of Pyodide: `node assemble.mjs name < source`, bytes to stdout.
import fs from "node:fs";
import wabt from "wabt";

function assemble(parseWat) {
  try {
    const features = { simd: true, relaxed_simd: true };
    const module = parseWat(process.argv[2], fs.readFileSync(0, "utf8"), features);
    module.validate(features);
    return module.toBinary({}).buffer;
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

const { parseWat } = await wabt();
const binary = assemble(parseWat);
// Emscripten loads what begins with this section: of it, that it needs no memory and no table of its own.
const name = new TextEncoder().encode("dylink.0");
const content = [name.length, ...name, 1, 4, 0, 0, 0, 0];
const HEADER = 8;
process.stdout.write(
  Uint8Array.from([...binary.subarray(0, HEADER), 0, content.length, ...content, ...binary.subarray(HEADER)]),
);
