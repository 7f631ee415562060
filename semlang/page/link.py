"""A text as the fragment of an address, as the page reads and writes it."""

from __future__ import annotations

import base64
import zlib

LARGEST = 256 * 1024
"""Bytes of a model text; what unpacks to more is no model."""


def packed(text: str) -> str:
    """Return a text deflated, in the letters of addresses.

    Examples
    --------
    >>> unpacked(packed("f =~ x1 + x2 + x3"))
    'f =~ x1 + x2 + x3'
    """
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = deflate.compress(text.encode()) + deflate.flush()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unpacked(fragment: str) -> str | None:
    """Return the text of a fragment; None where there is none, or it is longer than a model may be."""
    try:
        data = base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4))
        inflate = zlib.decompressobj(-15)
        text = inflate.decompress(data, LARGEST + 1)
        return None if len(text) > LARGEST or not inflate.eof else text.decode()
    except (ValueError, zlib.error):
        return None
