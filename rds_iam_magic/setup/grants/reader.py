"""`Reader`: the words, names and marks of a grant, one after the other."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""\s*(?:(?P<name>`(?:[^`]|``)*`|"(?:[^"]|"")*")|(?P<text>'(?:[^'\\]|''|\\.)*')|(?P<word>[\w$]+)|(?P<mark>[(),.*@%;-]))""",
    re.DOTALL,
)


class UnreadableError(ValueError):
    """The text is not a grant."""


class Reader:
    """Reads a grant from left to right.

    Args:
        text: The grant.

    Attributes:
        place: The number of the token that comes next, to go back to.

    Raises:
        UnreadableError: Something in it is neither a word, a name nor a mark, such as an unclosed quotation mark.
    """

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise UnreadableError
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self.place = 0

    @property
    def ended(self) -> bool:
        """Whether all has been read."""
        return self.place == len(self._tokens)

    def _peek(self) -> tuple[str, str]:
        return ("", "") if self.ended else self._tokens[self.place]

    def has(self, *words: str) -> bool:
        """Whether these words (upper case) come next; then they are read."""
        following = self._tokens[self.place : self.place + len(words)]
        if [(kind, text.upper()) for kind, text in following] != [("word", word) for word in words]:
            return False
        self.place += len(words)
        return True

    def has_mark(self, mark: str) -> bool:
        """Whether this mark comes next; then it is read."""
        if self._peek() != ("mark", mark):
            return False
        self.place += 1
        return True

    def find(self, *words: str) -> bool:
        """Whether these words stand anywhere in what is left; then what is left begins behind them."""
        start = self.place
        for at in range(start, len(self._tokens)):
            self.place = at
            if self.has(*words):
                return True
        self.place = start
        return False

    def words(self, stop: str) -> list[str]:
        """The words that come next, up to one (upper case) that is not read."""
        words: list[str] = []
        while self._peek()[0] == "word" and self._peek()[1].upper() != stop:
            words.append(self._peek()[1])
            self.place += 1
        return words

    def name(self, *, texts: bool = False) -> tuple[str, bool]:
        """The name that comes next, and whether it was quoted.

        Args:
            texts: Whether a string is a name, too, as in `'user'@'host'`.

        Raises:
            UnreadableError: Another thing comes next.
        """
        kind, text = self._peek()
        if kind not in (("name", "word", "text") if texts else ("name", "word")):
            raise UnreadableError
        self.place += 1
        if kind == "word":
            return text, False
        return text[1:-1].replace(text[0] * 2, text[0]), True

    def require(self, ok: object) -> None:
        """Check what must hold of the text.

        Raises:
            UnreadableError: It does not.
        """
        if not ok:
            raise UnreadableError
