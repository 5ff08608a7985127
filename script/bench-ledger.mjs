#!/usr/bin/env node
// Runs `cargo bench` for the ledger a few times and prints each subject against what it cannot be faster than. Rounds
// rather than one long run: baseline and subject then stand close together, and a busy minute spoils one round, not all.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const target = process.env.CARGO_TARGET_DIR ?? "target";
const arguments_ = ["bench", "-q", "-p", "medshare-protocol", "--bench", "ledger", "--", "--noplot", "--quiet"];

// Group, subject, baseline, and the ratio that is wanted.
const comparisons = [
  ["verify", "ledger", "alone", 0.85],
  ["build", "k256-blocks", "k256-alone", 0.8],
  ["build", "libsecp256k1-blocks", "libsecp256k1-alone", 0.8],
  ["mine", "midstate", "plain", 1.5],
];

const criterion = (group, name, file) =>
  JSON.parse(readFileSync(join(target, "criterion", group, name, "new", file), "utf8"));

// Things a second, by the median time.
function rate(group, name) {
  const nanoseconds = criterion(group, name, "estimates.json").median.point_estimate;
  return (criterion(group, name, "benchmark.json").throughput.Elements * 1e9) / nanoseconds;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const rounds = Array.from({ length: ROUNDS }, (_, round) => {
  const { status, stderr } = spawnSync("cargo", arguments_, { encoding: "utf8" });
  if (status !== 0) {
    console.error(stderr);
    process.exit(1);
  }
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  return comparisons.map(([group, subject, baseline]) => [rate(group, subject), rate(group, baseline)]);
});

console.log(`${cpus()[0].model}, ${availableParallelism()} cores; medians of ${ROUNDS} rounds; things a second`);
console.log(["", "subject", "baseline", "ratio", "(least to most)", "wanted"].map((head, column) => head.padStart(column ? 15 : 0).padEnd(column ? 0 : 46)).join(""));
comparisons.forEach(([group, subject, baseline, wanted], index) => {
  const pairs = rounds.map((round) => round[index]);
  const ratios = pairs.map(([one, other]) => one / other);
  const spread = `(${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
  const figures = [
    Math.round(median(pairs.map(([one]) => one))).toString(),
    Math.round(median(pairs.map(([, other]) => other))).toString(),
    median(ratios).toFixed(2),
    spread,
    `>= ${wanted}`,
  ];
  console.log(`${group}: ${subject} / ${baseline}`.padEnd(46) + figures.map((figure) => figure.padStart(15)).join(""));
});
