#!/usr/bin/env node
// How fast the agent is, as one table: what each bench measured against what it was measured against, in one run of each, and
// what was wanted. Everything in the release profile. What a machine lacks is left out, and said.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const target = resolve(process.env.CARGO_TARGET_DIR ?? "target");
const tools = join(target, "tools", "bin");
process.env.PATH = `${process.env.PATH}:${tools}`;
const left_out = [];

function run(command, arguments_, { quiet = false, env = process.env } = {}) {
  const { status, stdout } = spawnSync(command, arguments_, {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", quiet ? "ignore" : "inherit"],
  });
  return status === 0 ? stdout : undefined;
}

function must(what, command, arguments_, options) {
  process.stderr.write(`${what} ...\n`);
  const said = run(command, arguments_, options);
  if (said === undefined) {
    console.error(`${what} failed`);
    process.exit(1);
  }
  process.stderr.write(said);
  return said;
}

// rage, which sealing and opening are compared with.
if (run("rage", ["--version"], { quiet: true }) === undefined) {
  process.stderr.write("installing rage into target/tools ...\n");
  const arguments_ = ["install", "rage", "--locked", "--root", join(target, "tools")];
  if (run("cargo", arguments_) === undefined) {
    left_out.push("rage: it is not in PATH and could not be installed (is there a network?)");
  }
}
if (run("openssl", ["version"], { quiet: true }) === undefined) left_out.push("openssl: it is not in PATH");
if (!existsSync("/dev/fuse")) left_out.push("the mount: this machine has no /dev/fuse");

// Lines of a bench: what, figures, the ratio, and behind `>=` what is wanted of it.
const line = /^(.+?)  +([\d.NaN ]+?) +([\d.]+|NaN)  >= ([\d.]+)/;
// Files in memory: neither side waits for the disk.
const env = existsSync("/dev/shm") ? { ...process.env, TMPDIR: "/dev/shm" } : process.env;
const benched = (title, ...arguments_) =>
  must(title, "cargo", ["bench", "-q", "--locked", "--workspace", ...arguments_], { env })
    .split("\n")
    .map((text) => line.exec(text))
    .filter((found) => found !== null && found[3] !== "NaN")
    .map(([, what, figures, ratio, wanted]) => ({
      what: `${title}: ${what}`,
      figures: figures.trim().replace(/ +/g, " / "),
      value: Number(ratio),
      wanted: `>= ${wanted}`,
      met: Number(ratio) >= Number(wanted),
    }));

// A row of reports: milliseconds instead of a ratio.
function reports() {
  must("building medshare", "cargo", ["build", "-q", "--release", "--locked", "--workspace"]);
  const medshare = join(target, "release", "medshare");
  const said = JSON.parse(must("reports", medshare, ["bench", "reports", "--json"]));
  const row = (what, times) => ({
    what: `reports, ms: ${what}`,
    figures: `median ${times.median_ms.toFixed(2)} / most ${times.most_ms.toFixed(2)} / disk ${said.disk.median_ms.toFixed(2)}`,
    value: times.p99_ms,
    wanted: `p99 <= ${said.wanted_p99_ms}`,
    met: times.p99_ms <= said.wanted_p99_ms,
  });
  return [row("one package", said.alone), row(`${said.packages} packages, 100 a second`, said.paced)];
}

const rows = [
  ...benched("AEAD, GB/s", "--bench", "package"),
  ...benched("file to file, MB/s: package / rage", "--bench", "rage"),
  ...benched("mount, MB/s: package / plain mount / plain file", "--bench", "mount"),
  ...reports(),
];
console.log("\n| what | figures | ratio, or p99 | wanted | met |\n|---|---|---|---|---|");
for (const { what, figures, value, wanted, met } of rows) {
  console.log(`| ${what} | ${figures} | ${value.toFixed(2)} | ${wanted} | ${met ? "yes" : "no"} |`);
}
for (const what of left_out) console.log(`left out: ${what}`);
