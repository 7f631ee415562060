"""Models in words."""

from semlang.words.statements import in_words

__all__ = ["in_words"]
