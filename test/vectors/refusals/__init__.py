"""What the cases of refused.json are made of."""

import hashlib
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).parent.parent


def read(name):
    return json.loads((HERE / f"{name}.json").read_text())


def raw(text):
    return bytes.fromhex(text[2:])


def text(data):
    return "0x" + data.hex()


def sha256(data):
    return hashlib.sha256(data).digest()


def sha256d(data):
    return sha256(sha256(data))


BLOCKS, PACKAGE = read("blocks"), read("package")
NODE_KEY = int(BLOCKS["node_key"], 16)
HEAD = raw(PACKAGE["package"]["container_head"])


def pieces(good, bad):
    """`bad` by what it has in common with `good` at both ends."""
    front = 0
    while front < min(len(good), len(bad)) and good[front] == bad[front]:
        front += 1
    back = 0
    while back < min(len(good), len(bad)) - front and good[-1 - back] == bad[-1 - back]:
        back += 1
    middle = [text(bad[front:len(bad) - back])] if front + back < len(bad) else []
    ends = [[0, front]] if front else [], [[len(good) - back, len(good)]] if back else []
    return ends[0] + middle + ends[1]


def cases(good, bad):
    """One case for each different (reason, bytes)."""
    made, seen = [], {good}
    for why, data in bad:
        assert data != good, why
        if data not in seen:
            made.append({"why": why, "pieces": pieces(good, data)})
        seen.add(data)
    return {"good": text(good), "refused": made}


def put(good, at, data):
    return good[:at] + data + good[at + len(data):]


def u32(number):
    return struct.pack("<I", number)


def u64(number):
    return struct.pack("<Q", number)
