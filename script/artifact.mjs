#!/usr/bin/env node
// Writes contracts/generated/MedShare.json, the ABI and code that crates/chain reads,
// so that `cargo build` needs no forge. With --check: fails when the committed file is not what forge builds.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const generated = join(root, "contracts", "generated", "MedShare.json");
const RUNTIME_LIMIT_BYTES = 24_576; // EIP-170

const fail = (message) => {
  process.stderr.write(`artifact: ${message}\n`);
  process.exit(1);
};

const forge = join(root, "node_modules", ".bin", "forge");
if (!existsSync(forge)) fail("node_modules/.bin/forge is missing: run `npm ci` first");
// Directories of its own: `forge lint` leaves artifacts without bytecode in out/, which a build then takes for done.
const out = join("out", "artifact");
const options = ["--out", out, "--cache-path", join("cache", "artifact"), "--quiet"];
const build = spawnSync(forge, ["build", "contracts/MedShare.sol", ...options], { cwd: root, stdio: "inherit" });
if (build.status !== 0) fail("forge build failed");

const built = JSON.parse(readFileSync(join(root, out, "MedShare.sol", "MedShare.json"), "utf8"));
const runtimeBytes = (built.deployedBytecode.object.length - 2) / 2;
if (runtimeBytes > RUNTIME_LIMIT_BYTES) {
  fail(`the runtime code has ${runtimeBytes} bytes, the limit is ${RUNTIME_LIMIT_BYTES}`);
}
// Where the constructor writes 32 bytes each into the runtime code: all else in it is the same on every chain.
const immutables = Object.values(built.deployedBytecode.immutableReferences)
  .flat()
  .map(({ start, length }) => (length === 32 ? start : fail(`an immutable of ${length} bytes`)))
  .sort((a, b) => a - b);
const artifact = { abi: built.abi, bytecode: built.bytecode.object, runtime: built.deployedBytecode.object, immutables };
const text = `${JSON.stringify(artifact, null, 1)}\n`;

if (process.argv.includes("--check")) {
  const committed = existsSync(generated) ? readFileSync(generated, "utf8") : "";
  if (committed !== text) fail("contracts/generated/MedShare.json is stale: run `node script/artifact.mjs` and commit it");
} else {
  mkdirSync(dirname(generated), { recursive: true });
  writeFileSync(generated, text);
}
process.stdout.write(`artifact: ${runtimeBytes} bytes of runtime code\n`);
