// Bundles the player into build/player/: the small core, the worker, and what is loaded when it is needed.
// node sims/player/build.mjs [output folder]

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const target = resolve(process.argv[2] ?? join(root, "build/player"));
// Written aside and renamed, so that a server never finds half of it.
const out = `${target}.${process.pid}.part`;

const common = {
  absWorkingDir: root,
  bundle: true,
  charset: "utf8",
  chunkNames: "chunks/[name]-[hash]",
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  minify: true,
  outdir: out,
  splitting: true,
  target: "es2022",
};
const entry = (name) => ({ in: join(here, "src", `${name}.ts`), out: name });

function packagesOf(metafiles) {
  const inputs = metafiles.flatMap((m) => Object.keys(m.inputs));
  const names = inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean);
  return [...new Set(names)].sort();
}

/** The licences of what is bundled, as they ask for. */
function licences(names) {
  const parts = names.map((name) => {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${license}`;
    return `${name} ${version}\n\n${text}\n`;
  });
  return `The player contains these libraries.\n\n${parts.join(`\n${"-".repeat(72)}\n\n`)}`;
}

mkdirSync(out, { recursive: true });
const lazy = ["chart", "editor"].filter((name) => existsSync(join(here, "src", `${name}.ts`)));
// Each by itself: a chunk shared by two of them would be one more thing to wait for, found late.
const bundles = await Promise.all(["player", ...lazy, "worker"].map((name) => build({ ...common, entryPoints: [entry(name)] })));
writeFileSync(join(out, "LICENCES.txt"), licences(packagesOf(bundles.map((bundle) => bundle.metafile))));

const old = `${target}.${process.pid}.old`;
if (existsSync(target)) renameSync(target, old);
renameSync(out, target);
rmSync(old, { recursive: true, force: true });

for (const path of readdirSync(target, { recursive: true }).sort()) {
  if (!path.endsWith(".js")) continue;
  const bytes = readFileSync(join(target, path));
  const gzip = gzipSync(bytes, { level: 9 }).length;
  console.log(`${path.padEnd(34)} ${String(bytes.length).padStart(8)} B ${String(gzip).padStart(8)} B gzip`);
}
