#!/usr/bin/env python3
"""Rewrites corpus/TARGET: of all files in FOLDERs the few that together reach most of what all of them reach.

Greedy: whichever file reaches the most that is new comes next, the shortest first, until none does or there are enough. What
seeds.py calls telling is kept beside them.

Usage: least.py TARGET FOLDER...
"""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
MOST = 40


def reached(target, folders):
    """What each file reaches, as the fuzzer notes it down for its own merge: file → edges, and about how often."""
    with tempfile.TemporaryDirectory() as scratch:
        notes, nothing = pathlib.Path(scratch) / "notes", pathlib.Path(scratch) / "merged"
        nothing.mkdir()
        command = ["cargo", "+nightly", "fuzz", "run", "--fuzz-dir", HERE, target, nothing, *folders]
        # This kind of merge wants of each file all that it reaches, and not only what none before it has.
        flags = ["-set_cover_merge=1", f"-merge_control_file={notes}"]
        subprocess.run([*command, "--", *flags], check=True, capture_output=True)
        lines = notes.read_text().splitlines()
    count = int(lines[0])
    files, features = lines[2:2 + count], {}
    for line in lines[2 + count:]:
        kind, number, *rest = line.split()
        if kind == "FT":
            features[files[int(number)]] = set(rest)
    return features


def least(features):
    """The chosen files, in the order of their gain."""
    known = set()
    for _ in range(MOST):
        best = max(sorted(features), key=lambda file: (len(features[file] - known), -pathlib.Path(file).stat().st_size))
        if not features[best] - known:
            return
        known |= features[best]
        yield pathlib.Path(best)


def main(target, *folders):
    features = reached(target, [pathlib.Path(folder).resolve() for folder in folders])
    telling = [pathlib.Path(file) for file in sorted(features) if "telling-" in file]
    chosen = {file.read_bytes() for file in [*telling, *least(features)]}
    corpus = HERE / "corpus" / target
    shutil.rmtree(corpus, ignore_errors=True)
    corpus.mkdir(parents=True)
    for data in chosen:
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    print(f"{target}: {len(chosen)} of {len(features)} files, {sum(map(len, chosen))} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
