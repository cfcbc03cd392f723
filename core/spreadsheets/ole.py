"""The container of old office files: a small file system of sectors, found by following chains."""

from array import array
from dataclasses import dataclass
from struct import unpack_from

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HEADER = 512
ENTRY = 128
END_OF_CHAIN = 0xFFFFFFFE
STORAGE, STREAM, ROOT = 1, 2, 5


@dataclass(frozen=True)
class _Entry:
    kind: int
    start: int
    size: int


class Container:
    """The named streams of a compound file. Raises ValueError where its chains lead nowhere."""

    def __init__(self, data: bytes):
        if len(data) < HEADER:
            raise ValueError("cut off in the header")
        self.data = data
        shift, mini_shift = unpack_from("<HH", data, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise ValueError("no such size of sectors")
        self.sector, self.mini_sector = 1 << shift, 1 << mini_shift
        tables, directory, self.cutoff, mini_table, difat = self._header()
        self.chains = self._table(tables, difat)
        self.entries = self._directory(directory)
        self.mini_chains = _numbers(self._chained(mini_table))
        root = next((entry for entry in self.entries.values() if entry.kind == ROOT), None)
        self.mini = self._chained(root.start)[: root.size] if root else b""

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.entries

    def stream(self, name: str) -> bytes:
        """The bytes of a stream. Raises KeyError when there is none of that name."""
        entry = self.entries[name.lower()]
        if entry.size >= self.cutoff:
            return self._chained(entry.start)[: entry.size]
        pieces, size = [], self.mini_sector
        for number in _chain(self.mini_chains, entry.start):
            pieces.append(self.mini[number * size : (number + 1) * size])
        return b"".join(pieces)[: entry.size]

    def _header(self) -> tuple[int, int, int, int, int]:
        tables, directory = unpack_from("<II", self.data, 44)
        cutoff, mini_table = unpack_from("<II", self.data, 56)
        (difat,) = unpack_from("<I", self.data, 68)
        return tables, directory, cutoff, mini_table, difat

    def _table(self, count: int, difat: int) -> array:
        """Which sector follows each; where that table stands is itself told in pieces."""
        sectors = list(unpack_from("<109I", self.data, 76))
        most = len(self.data) // self.sector + 1
        while difat < END_OF_CHAIN - 3 and len(sectors) < most + 109:
            piece = _numbers(self._sector(difat))
            sectors += piece[:-1]
            difat = piece[-1]
        if count > min(len(sectors), most):
            raise ValueError("more tables than sectors")
        return _numbers(b"".join(self._sector(number) for number in sectors[:count]))

    def _directory(self, start: int) -> dict[str, _Entry]:
        raw = self._chained(start)
        entries = {}
        for at in range(0, len(raw) - ENTRY + 1, ENTRY):
            length, kind = unpack_from("<HB", raw, at + 64)
            if kind not in (STORAGE, STREAM, ROOT):
                continue
            name = raw[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            first, size = unpack_from("<II", raw, at + 116)
            # The same name may stand again inside a storage; what stands first is the file's own.
            entries.setdefault(name.lower(), _Entry(kind, first, size))
        return entries

    def _chained(self, start: int) -> bytes:
        return b"".join(self._sector(number) for number in _chain(self.chains, start))

    def _sector(self, number: int) -> bytes:
        at = (number + 1) * self.sector
        if at >= len(self.data):
            raise ValueError("a sector beyond the end of the file")
        # The last sector may be cut short.
        return self.data[at : at + self.sector]


def _chain(following: array, start: int) -> list[int]:
    chain = []
    number = start
    while number < END_OF_CHAIN - 3:
        if number >= len(following) or len(chain) > len(following):
            raise ValueError("a chain without an end")
        chain.append(number)
        number = following[number]
    return chain


def _numbers(raw: bytes) -> array:
    numbers = array("I")
    numbers.frombytes(raw[: len(raw) // 4 * 4])
    return numbers
