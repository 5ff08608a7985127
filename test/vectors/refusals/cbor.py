"""Messages in CBOR that are not in their one spelling, or say what cannot be (SPEC.md §10; §6, §7, §8)."""

import cbor2

from . import HEAD, PACKAGE, cases, raw, spelling

HEADER = cbor2.loads(HEAD[12:-65])
BODY = {0: "Data has been decrypted", 1: "data.csv", 2: [[0, 100]], 3: "cat"}


def fitting(value, key, wrong):
    """The map with other values for one key."""
    return ((f"key {key}: {why}", spelling.item(value | {key: other})) for why, other in wrong)


def text_at(value, key, why):
    """The map or array with a text that is none in the place of one of its texts."""
    changed, mark = value.copy(), "\x01mark"
    changed[key] = mark
    return spelling.bad_texts(why, lambda spelt: spelling.item(changed).replace(spelling.item(mark), spelt))


def package_header():
    yield from spelling.map_(HEADER)
    yield from text_at(HEADER, 8, "the media type")
    for key, value in HEADER.items():
        if isinstance(value, bytes):
            yield from fitting(HEADER, key, [("a byte short", value[:-1]), ("a byte long", value + b"\0"), ("empty", b"")])
    for key in (13, 14, 15, 16):
        yield from fitting(HEADER, key, [("beyond a byte", 256)])
    yield from fitting(HEADER, 7, [("a chunk too many", ((1 << 32) - 1) * 65_536 + 1), ("all there is", (1 << 64) - 1)])
    yield from fitting(HEADER, 13, [("no sensitivity", 2)])
    yield from fitting(HEADER, 14, [("decrypt granted", 0x41), ("tampering granted", 0x81)])
    yield from fitting(HEADER, 15, [("decrypt exempt", 0x40), ("tampering exempt", 0x80)])
    yield from fitting(HEADER, 16, [("no environment", 3)])


def form_step():
    step = cbor2.loads(raw(PACKAGE["form"]["steps"][0]))
    with_details = lambda details: spelling.item([*step[:3], details])
    yield from spelling.array(step)
    yield from text_at(step, 2, "the action")
    yield "node a byte short", spelling.item([step[0], step[1][:-1], *step[2:]])
    yield "node a byte long", spelling.item([step[0], step[1] + b"\0", *step[2:]])
    yield "a detail without its value", with_details([["name"]])
    yield "a detail of three", with_details([["name", "value", "more"]])
    yield "a detail of bytes", with_details([[b"name", b"value"]])
    yield "a detail of numbers", with_details([[1, 2]])
    yield "a detail that is no pair", with_details(["name", "value"])
    yield "a fifth element", spelling.item([*step, []])
    yield "a map of its elements", spelling.item(dict(enumerate(step)))
    yield from spelling.bad_texts("a detail", lambda spelt: with_details([])[:-1] + b"\x81\x82" + spelt + b"\x60")


def report_body():
    body = BODY
    yield from spelling.map_(body, optional=(1, 3))
    for key, name in ((0, "the comment"), (1, "the file"), (3, "the program")):
        yield from text_at(body, key, name)
    wrong = [("of one end", [[0]]), ("of three ends", [[0, 1, 2]]), ("of texts", [["0", "1"]]), ("of none", [[]]),
             ("that is no pair", [0, 1]), ("that ends before it starts", [[100, 0]]), ("too, the second one", [[0, 1], [3, 2]])]
    yield from ((f"a range {why}", spelling.item(body | {2: ranges})) for why, ranges in wrong)
    pair = lambda spelt: spelling.item(body).replace(spelling.item([[0, 100]]), b"\x81" + spelt)
    yield "a range with an end longer than need be", pair(b"\x82\x00\x19\x00\x64")
    yield "a range of indefinite length", pair(b"\x9f\x00\x18\x64\xff")
    yield "a range with a negative start", pair(b"\x82\x20\x18\x64")
    yield "a range beyond 64 bits", pair(b"\x82\x00\xc2\x49\x01" + bytes(8))
    yield "more ranges than memory has", spelling.item(body).replace(b"\x81\x82", b"\x9b" + b"\xff" * 8 + b"\x82")
    yield "more text than memory has", b"\xa2\x00\x7b" + b"\xff" * 8 + b"x\x02\x80"
    yield from account(body)


def account(body):
    """Counts of actions, and outputs."""
    counts, outputs = {0: 25, 1: 1}, [["result.csv", 1_024, bytes(32), 0]]
    wrong = [("of nothing", {}), ("of none", {0: 0}), ("of decrypt", {6: 1}), ("of tampering", {7: 1}), ("of no action", {8: 1}),
             ("that are texts", {0: "1"}), ("beyond 64 bits", None)]
    with_counts = lambda raw: b"\xa5" + spelling.item(body)[1:] + b"\x04" + raw
    for why, raw in spelling.elements([spelling.item(key) + spelling.item(counts[key]) for key in counts], spelling.MAP, counts, counts):
        yield f"counts, {why}", with_counts(raw)
    yield "counts in the wrong order", with_counts(b"\xa2\x01\x01\x00\x18\x19")
    yield "a count twice", with_counts(b"\xa2\x00\x18\x19\x00\x18\x19")
    for why, value in wrong:
        raw = b"\xa1\x00\xc2\x49\x01" + bytes(8) if value is None else spelling.item(value)
        yield f"counts {why}", with_counts(raw)
    with_outputs = lambda each: spelling.item(body | {5: each})
    for why, raw in spelling.array(outputs[0]):
        yield f"an output: {why}", b"\xa5" + spelling.item(body)[1:] + b"\x05\x81" + raw
    yield "no outputs", with_outputs([])
    yield "an output that is none", with_outputs(["result.csv"])
    yield "an output whose hash is a byte short", with_outputs([["result.csv", 1_024, bytes(31), 0]])
    yield "an output whose hash is a byte long", with_outputs([["result.csv", 1_024, bytes(33), 0]])
    yield "outputs before counts", b"\xa6" + spelling.item(body)[1:] + b"".join(
        [b"\x05", spelling.item(outputs), b"\x04", spelling.item(counts)])
    held = lambda raw: b"\xa5" + spelling.item(body)[1:] + b"\x06" + raw
    yield "a held output whose hash is a byte short", held(spelling.item(bytes(31)))
    yield "a held output whose hash is a byte long", held(spelling.item(bytes(33)))
    yield "a held output whose hash is a text", held(spelling.item("0" * 32))
    yield "no hash for an output that is not held", held(b"\xf6")
    yield "held before outputs", b"\xa6" + spelling.item(body)[1:] + b"".join(
        [b"\x06", spelling.item(bytes(32)), b"\x05", spelling.item(outputs)])
    yield "more outputs than memory has", b"\xa5" + spelling.item(body)[1:] + b"\x05\x9b" + b"\xff" * 8


def made():
    return {
        "package_header": cases(HEAD[12:-65], package_header()),
        "form_step": cases(raw(PACKAGE["form"]["steps"][0]), form_step()),
        "report_body": cases(spelling.item(BODY), report_body()),
    }
