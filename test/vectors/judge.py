#!/usr/bin/env python3
"""Writes judge.json: the usage contract's answer to every input there is.

Straight from Algorithm 1 of the paper, as docs/contracts.md reads it, and written apart from the
implementations in contracts/libraries/Judge.sol and crates/protocol, which both must agree with it:

- the data was decrypted: always allowed, always reported;
- low sensitivity, action exempted: ignored;
- low sensitivity, action neither exempted nor granted: violation;
- high sensitivity: nothing is exempted; every action that was not granted is a violation;
- tampering is no action that could be granted or exempted: always a violation.
"""

import json
import pathlib

ACTIONS = ["read", "write", "delete", "duplicate", "move", "copy", "decrypt", "tampering"]


def members(bitmap):
    return {name for position, name in enumerate(ACTIONS[:6]) if bitmap >> position & 1}


def answer(sensitivity, granted, exempt, action):
    if action == "decrypt":
        return "P"
    if action == "tampering":
        return "V"
    if sensitivity == "low" and action in exempt:
        return "I"
    if action in granted:
        return "P"
    return "V"


answers = "".join(
    answer(sensitivity, members(granted), members(exempt), action)
    for sensitivity in ("low", "high")
    for granted in range(64)
    for exempt in range(64)
    for action in ACTIONS
)
assert len(answers) == 2 * 64 * 64 * 8
made = {
    "order": "sensitivity(0..1) × granted(0..63) × exempt(0..63) × action(0..7), last fastest",
    "answers": answers,
}
target = pathlib.Path(__file__).with_name("judge.json")
target.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n")
