"""A table of strings: each is in the page once, and a number wherever it is meant."""


class Strings:
    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []

    def __len__(self) -> int:
        return len(self._texts)

    def number(self, text: str) -> int:
        number = self._numbers.setdefault(text, len(self._texts))
        if number == len(self._texts):
            self._texts.append(text)
        return number

    def since(self, mark: int) -> list[str]:
        """Those that came when there were `mark` already."""
        return self._texts[mark:]

    def forget(self, mark: int) -> None:
        """All of them."""
        for text in self._texts[mark:]:
            del self._numbers[text]
        del self._texts[mark:]
