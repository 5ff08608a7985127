#!/usr/bin/env python3
"""What must work inside: the analyses that the sandbox is for. Ends with 7, which must be passed on."""

import asyncio
import collections
import csv
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

DATA, OUTPUT = os.environ["MEDSHARE_DATA"], os.environ["MEDSHARE_OUTPUT"]

with open(DATA, newline="") as file:
    rows = list(csv.DictReader(file))
counts = collections.Counter(row["sex"] for row in rows)
os.makedirs(OUTPUT + "/tables")
with open(OUTPUT + "/tables/sex.csv", "w") as file:
    file.writelines(f"{sex},{count}\n" for sex, count in sorted(counts.items()))

# A pipeline; sort and awk write temporary files, threads and processes start.
pipeline = "tail -n +2 $MEDSHARE_DATA | awk -F, '{print $3}' | sort -S 1M | uniq -c | sort -rn > $MEDSHARE_OUTPUT/tables/pipeline.txt"
subprocess.run(["sh", "-ec", pipeline], check=True)
thread = threading.Thread(target=lambda: shutil.copyfile(OUTPUT + "/tables/sex.csv", OUTPUT + "/copy.csv"))
thread.start()
thread.join()
with tempfile.TemporaryFile() as file:
    file.write(b"x" * 100_000)
    file.seek(50_000)
    assert file.read() == b"x" * 50_000
# Event loops wake themselves through a pair of streams.
one, other = socket.socketpair()
one.sendall(b"awake")
assert other.recv(5) == b"awake"
asyncio.run(asyncio.sleep(0))
os.replace(OUTPUT + "/copy.csv", OUTPUT + "/tables/again.csv")

# A program that was compiled outside, and one that is compiled here.
if os.path.exists("/medshare/work/program"):
    subprocess.run("/medshare/work/program < $MEDSHARE_DATA > $MEDSHARE_OUTPUT/bytes.txt", shell=True, check=True)
    os.mkdir(os.environ["TMPDIR"] + "/build")
    built = os.environ["TMPDIR"] + "/build/again"
    subprocess.run(["cc", "/medshare/work/program.c", "-o", built], check=True)
    subprocess.run(f"{built} < $MEDSHARE_DATA | cmp - $MEDSHARE_OUTPUT/bytes.txt", shell=True, check=True)

try:
    import pandas
    pandas.read_csv(DATA).groupby("sex").size().to_csv(OUTPUT + "/tables/pandas.csv")
except ImportError:
    print("LEFT OUT: there is no pandas")

print(f"{len(rows)} rows")
print("a word of warning", file=sys.stderr)
sys.exit(7)
