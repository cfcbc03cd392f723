"""A record of an old Excel file, which may go on in further ones."""

from struct import unpack_from


class Pieces:
    """A record and its continuations, read on as one; a text goes on with a mark of its width."""

    def __init__(self, pieces: list[bytes]):
        self.pieces = pieces
        self.number = self.at = 0

    @property
    def left(self) -> bool:
        return self.number < len(self.pieces) - 1 or self.at < len(self.pieces[self.number])

    def take(self, size: int) -> bytes:
        taken = self.pieces[self.number][self.at : self.at + size]
        self.at += len(taken)
        while len(taken) < size:
            self._next()
            more = self.pieces[self.number][: size - len(taken)]
            self.at = len(more)
            taken += more
        return taken

    def skip(self, size: int) -> None:
        while size > len(self.pieces[self.number]) - self.at:
            size -= len(self.pieces[self.number]) - self.at
            self._next()
        self.at += size

    def text(self, count: int, wide: int) -> str:
        """So many characters, of two bytes each if `wide`."""
        parts = []
        while count:
            piece = self.pieces[self.number]
            if self.at >= len(piece):
                self._next()
                piece = self.pieces[self.number]
                wide = piece[0] & 1
                self.at = 1
            size = 2 if wide else 1
            some = min(count, (len(piece) - self.at) // size)
            if not some:
                raise ValueError("half a character")
            raw = piece[self.at : self.at + some * size]
            parts.append(raw if wide else raw.decode("latin-1").encode("utf-16-le"))
            self.at += some * size
            count -= some
        return b"".join(parts).decode("utf-16-le", "replace")

    def string(self) -> str:
        """A text of the shared table: its length, its make-up, its characters, what adorns them."""
        count, flags = unpack_from("<HB", self.take(3))
        runs = unpack_from("<H", self.take(2))[0] if flags & 8 else 0
        extra = unpack_from("<I", self.take(4))[0] if flags & 4 else 0
        text = self.text(count, flags & 1)
        self.skip(4 * runs + extra)
        return text

    def _next(self) -> None:
        self.number += 1
        self.at = 0
        if self.number == len(self.pieces):
            raise ValueError("cut off in a record")
