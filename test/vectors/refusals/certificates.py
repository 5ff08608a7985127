"""Certificates that are none (SPEC.md §6.1)."""

import json
from fractions import Fraction

from . import PACKAGE, cases

TEXT = PACKAGE["certificate"]["text"]
SAID = json.loads(TEXT)
LONGEST = 65_536
DELETED = object()


def spelt(said):
    return json.dumps(said, separators=(",", ":"))


def put(said, path, value):
    """The same with another value there, or without it."""
    (name, *rest), changed = path, said.copy()
    if rest:
        changed[name] = put(said[name], rest, value)
    elif value is DELETED:
        del changed[name]
    else:
        changed[name] = value
    return changed


def objects(said, path=()):
    """Where objects stand, the whole text among them."""
    if isinstance(said, dict):
        yield path, said
    inner = said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ()
    for name, value in inner:
        yield from objects(value, (*path, name))


def put_text(said, path, text):
    """The same with something there that `json` does not write so."""
    return spelt(put(said, path, "\x01mark")).replace(spelt("\x01mark"), text)


def fields():
    """Each field: without it, as something else; each object: with another field, with one twice, as an array."""
    optional = {("risks",), ("sensitive",), ("linkage",), ("safe_harbor",)}
    nullable = {"recursive_c", "t_ordered", "t_hierarchical", "delta"}
    others = [None, True, "1", [], {}, -1, 1.5, 1 << 64]
    for place, said in objects(SAID):
        told = ".".join(map(str, place)) or "the text"
        more = said | {"more": 1}
        yield f"{told}: an unknown field", spelt(put(SAID, place, more) if place else more)
        values = list(said.values())
        yield f"{told}: an array of the values", spelt(put(SAID, place, values) if place else values)
        for name, value in said.items():
            path = (*place, name)
            told = ".".join(map(str, path))
            if path not in optional:
                yield f"{told}: left out", spelt(put(SAID, path, DELETED))
            twice = spelt(said)[:-1] + "," + spelt({name: value})[1:]
            yield f"{told}: twice", put_text(SAID, place, twice) if place else twice
            for other in others:
                if not fits(name, value, other, nullable):
                    yield f"{told}: {spelt(other)}", spelt(put(SAID, path, other))


def fits(name, value, other, nullable):
    """Whether `other` may stand there, too."""
    if other is None:
        return name in nullable
    if isinstance(value, float) or name in nullable:
        most = float("inf") if name in ("recursive_c", "delta", "delta_present", "beta", "entropy_l") else 1
        return type(other) in (int, float) and 0 <= other <= most
    if isinstance(value, str):
        return name not in ("package", "payload_hash", "sensitivity", "letter", "verdict") and isinstance(other, str) \
            or name == "letter" and other == "1"
    return type(other) is type(value) and isinstance(other, list)


# Of two numbers beside each other in 64 bits, 1 and 1 + 2^-52, what lies half way is rounded to the even one, 1, and a
# little more is not.
HALF_WAY = f"1.{int(Fraction(10**53, 2**53)):053}"
ABOVE_HALF_WAY = HALF_WAY + "01"


def taken():
    """Numbers that are rounded to what may stand there."""
    for text in ("1.00000000000000011", HALF_WAY, "1.0", "1e0", "10e-1", "0", "1e-999", "0.1E0"):
        yield f"unique_share: {text}", put_text(SAID, ("unique_share",), text)


def numbers():
    counts, shares, amounts = ("rows", "version"), ("unique_share",), ("sensitive", 0, "beta")
    for name in counts:
        for text in ("-0", "01", "+1", "1.0", "1e0", "0x1", "1" + "0" * 5_000):
            yield f"{name}: {text[:9]}", put_text(SAID, (name,), text)
    for path in (shares, amounts):
        for text in ("-0", "-0.0", "-0.5", "1e999", ".5", "1.", "NaN", "Infinity", "-1e-999", "1" + "0" * 400):
            yield f"{path[-1]}: {text[:9]}", put_text(SAID, path, text)
    for text in ("1.0000001", ABOVE_HALF_WAY):
        yield f"unique_share: {text}", put_text(SAID, shares, text)


def spellings():
    yield "nothing", ""
    yield "of an array", spelt([SAID])
    yield "of a text", spelt(TEXT)
    yield "a byte too long", TEXT.ljust(LONGEST + 1)
    yield "something behind it", TEXT + "{}"
    yield "a comma too many", TEXT[:-1] + ",}"
    yield "a comment", TEXT[:-1] + "/**/}"
    yield "a byte order mark", "\ufeff" + TEXT
    yield "single quotes", TEXT.replace('"', "'")
    yield "half a surrogate pair", put_text(SAID, ("reasons", 0), '"\\ud800"')
    yield "a control character", put_text(SAID, ("reasons", 0), '"\t"')
    yield "an unknown escape", put_text(SAID, ("reasons", 0), '"\\x41"')
    yield "upper-case hexadecimal digits", TEXT.replace(SAID["package"], "0x" + SAID["package"][2:].upper())
    yield "a hash without 0x", TEXT.replace(SAID["package"], SAID["package"][2:])
    yield "a hash a byte short", TEXT.replace(SAID["package"], SAID["package"][:-2])
    yield "nested a thousand times", put_text(SAID, ("reasons",), "[" * 1_000 + "]" * 1_000)
    yield "another version", spelt(SAID | {"version": 2})
    yield "version 0", spelt(SAID | {"version": 0})
    yield "a sensitivity in capitals", spelt(SAID | {"sensitivity": "High"})
    yield "a letter of two", spelt(put(SAID, ("safe_harbor", 0, "letter"), "AB"))
    yield "no letter", spelt(put(SAID, ("safe_harbor", 0, "letter"), ""))
    found = {"column": "name", "rule": "names", "what": "names", "rows": 1, "accepted": False}
    place = ("safe_harbor", 0, "found")
    for name, other in [("rows", True), ("accepted", 0), ("column", None), ("what", 7), ("rule", [])]:
        yield f"found: {name} {spelt(other)}", spelt(put(SAID, place, [found | {name: other}]))
        yield f"found: without {name}", spelt(put(SAID, place, [put(found, (name,), DELETED)]))


def made():
    bad = ((why, text.encode()) for part in (fields, numbers, spellings) for why, text in part())
    good = ((why, text.encode()) for why, text in taken())
    made = cases(TEXT.encode(), bad)
    return {**made, "taken": cases(TEXT.encode(), good)["refused"]}
