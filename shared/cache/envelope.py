"""The bytes in Redis: a stored answer says what it is, for which key, how old and how long, and whether it is whole.

    crc32 of name and rest (8 hex digits) | wire schema created fresh-until dead-at negative | LF | payload

The check sum covers the key's name: a reply that a broken connection delivered to the wrong question is not believed.
"""

import zlib

from shared.cache.entries import Entry

_WIRE = b"1"
STAMP_BYTES = 8


class Poisoned(Exception):
    """What is stored is not something that this version of the program wrote."""


def pack(name: str, entry: Entry) -> bytes:
    times = f"{entry.created!r} {entry.fresh_until!r} {entry.dead_at!r}"
    body = b"%b %b %b %d\n%b" % (_WIRE, entry.schema.encode(), times.encode(), entry.negative, entry.payload)
    return _stamp(name, body) + body


def unpack(name: str, raw: bytes, version: bytes = b"") -> Entry:
    """Raises ``Poisoned``. The payload is not decoded here. ``version`` becomes the beginning of the entry's stamp."""
    stamp, body = raw[:STAMP_BYTES], raw[STAMP_BYTES:]
    if stamp != _stamp(name, body):
        raise Poisoned("check sum")
    head, _, payload = body.partition(b"\n")
    try:
        wire, schema, created, fresh_until, dead_at, negative = head.split(b" ")
        entry = Entry(
            schema.decode(), float(created), float(fresh_until), float(dead_at), negative == b"1", payload,
            stamp=version + stamp,
        )  # fmt: skip
    except ValueError:
        raise Poisoned("header") from None
    if wire != _WIRE:
        raise Poisoned("version")
    return entry


def _stamp(name: str, body: bytes) -> bytes:
    return b"%08x" % zlib.crc32(body, zlib.crc32(name.encode()))
