#!/usr/bin/env python3
"""Verify a MeDShare ledger export, a proof or evidence, or open a package, by the independent implementation.

examples:
  python verify.py ledger export.jsonl
  python verify.py proof growth.json
  python verify.py evidence evidence.zip
  python verify.py package data.mds --sealing-key 0x0606… --custodian-share 0xb307… -o data.csv

exit status: 0 sound, 1 at least one fault or a refusal, 2 wrong use
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from medshare_independent.bundle import Bundle
from medshare_independent.codec import Refused
from medshare_independent.evidence import Evidence
from medshare_independent.ledger import Ledger
from medshare_independent.package import open_package
from medshare_independent.proof import read_proof


def octets(size: int):
    """An argument of so many bytes in hexadecimal digits, with or without 0x."""

    def read(text: str) -> bytes:
        try:
            raw = bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            raw = b""
        if len(raw) != size:
            raise argparse.ArgumentTypeError(f"not {size} bytes in hexadecimal digits")
        return raw

    return read


def verify_ledger(args: argparse.Namespace) -> int:
    """One line for every fault (§3); a text that is no export is a fault, too."""
    ledger, faults = Ledger(), 0
    with args.export.open("rb") as stream:
        try:
            for fault in ledger.audit(stream):
                faults += 1
                print(fault)
        except Refused as refusal:
            print(f"refused: {refusal}")
            return 1
    if faults == 0:
        print(f"sound: {ledger.summary()}")
    return int(faults > 0)


def verify_proof(args: argparse.Namespace) -> int:
    """What the proof shows, of a head or EVM block that the reader has to know (§2.1)."""
    proof = read_proof(args.file.read_bytes())
    proof.check()
    print(f"sound: {proof}")
    return 0


def verify_evidence(args: argparse.Namespace) -> int:
    """One line for every fault (§9.1); what is no bundle is refused."""
    with args.bundle.open("rb") as stream:
        evidence = Evidence(Bundle.read(stream))
    faults = list(evidence.faults())
    print(*faults or [f"sound: {evidence.summary()}"], sep="\n")
    return int(len(faults) > 0)


def decrypt_package(args: argparse.Namespace) -> int:
    """Decrypt into a private temporary file that gets its name only when all of it is proven (§7)."""
    with args.file.open("rb") as source, tempfile.NamedTemporaryFile(dir=args.output.parent, delete=False) as sink:
        try:
            header = open_package(source, sink, args.sealing_key, args.custodian_share)
            sink.close()
            os.replace(sink.name, args.output)
        except BaseException:
            os.unlink(sink.name)
            raise
    print(f"opened: {header.length} bytes of {header.media_type!r} in package 0x{header.package.hex()}")
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ledger = commands.add_parser(
        "ledger",
        help="verify a ledger export",
        description="Verify a ledger export.",
        epilog="example: python verify.py ledger export.jsonl",
    )
    ledger.add_argument("export", type=Path, metavar="EXPORT.jsonl")
    ledger.set_defaults(run=verify_ledger)
    proof = commands.add_parser(
        "proof",
        help="verify a proof of a block, of a chain's growth, or of what the contract held",
        description="Verify a proof. It holds of the head, or of the EVM block, that is printed: that one is to be known.",
        epilog="example: python verify.py proof growth.json",
    )
    proof.add_argument("file", type=Path, metavar="FILE.json")
    proof.set_defaults(run=verify_proof)
    evidence = commands.add_parser(
        "evidence",
        help="verify an evidence bundle",
        description="Verify an evidence bundle. It holds of the EVM block that is printed: that one is to be known.",
        epilog="example: python verify.py evidence evidence.zip",
    )
    evidence.add_argument("bundle", type=Path, metavar="BUNDLE.zip")
    evidence.set_defaults(run=verify_evidence)
    package = commands.add_parser(
        "package",
        help="open a package",
        description="Open a package.",
        epilog="example: python verify.py package data.mds --sealing-key 0x… --custodian-share 0x… -o data.csv",
    )
    package.add_argument("file", type=Path, metavar="FILE.mds")
    package.add_argument(
        "--sealing-key",
        type=octets(32),
        required=True,
        metavar="HEX",
        help="the requestor's X25519 secret key, 32 bytes",
    )
    package.add_argument(
        "--custodian-share",
        type=octets(80),
        required=True,
        metavar="HEX_SEALED",
        help="the custodian's share as it was sent: sealed, 80 bytes",
    )
    package.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    package.set_defaults(run=decrypt_package)
    return parser


def main() -> int:
    args = arguments().parse_args()
    try:
        return args.run(args)
    except Refused as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 1
    except OSError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
