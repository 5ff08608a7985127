"""secp256k1 as textbooks have it, with RFC 6979: what the scripts beside it share. Slow, and not for secrets."""

import hmac

FIELD = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GENERATOR = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % FIELD == 0:
            return None
        slope = 3 * p[0] * p[0] * pow(2 * p[1], -1, FIELD)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, FIELD)
    x = (slope * slope - p[0] - q[0]) % FIELD
    return x, (slope * (p[0] - x) - p[1]) % FIELD


def times(number, point):
    result = None
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def nonce(key, digest):
    """RFC 6979 section 3.2 with SHA-256; the first candidate always fits here."""
    message = (int.from_bytes(digest, "big") % ORDER).to_bytes(32, "big")
    secret = key.to_bytes(32, "big")
    v, k = b"\x01" * 32, b"\x00" * 32
    for mark in (b"\x00", b"\x01"):
        k = hmac.digest(k, v + mark + secret + message, "sha256")
        v = hmac.digest(k, v, "sha256")
    candidate = int.from_bytes(hmac.digest(k, v, "sha256"), "big")
    assert 0 < candidate < ORDER
    return candidate


def sign(key, digest):
    k = nonce(key, digest)
    point = times(k, GENERATOR)
    r = point[0] % ORDER
    s = (int.from_bytes(digest, "big") + r * key) * pow(k, -1, ORDER) % ORDER
    parity = point[1] & 1
    if s > ORDER // 2:
        s, parity = ORDER - s, parity ^ 1
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity])
