"""Where mails go on one machine: each is a `.eml` file that any mail program opens."""

import email
import email.policy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html.parser import HTMLParser
from pathlib import Path

_SENDER = "logic-app@localhost"
_ENDS_A_LINE = frozenset({"p", "br", "div", "li", "tr"})


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it lies in the outbox; `text` is its body without markup."""

    file: str
    date: str
    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Outbox:
    """A folder of mails, numbered in the order they were sent."""

    folder: Path
    clock: Callable[[], datetime]

    def put(self, to: str, subject: str, html: str) -> None:
        """Write a mail whole, or not at all; ValueError where a header can't hold what it is given."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = _SENDER, to, subject
        message["Date"] = format_datetime(self.clock())
        message.set_content(text_of(html))
        message.add_alternative(html, subtype="html")
        unfinished = self.folder / "unfinished"
        unfinished.write_bytes(message.as_bytes())
        unfinished.rename(self.folder / f"{self._next():04}.eml")

    def mails(self) -> Iterator[Mail]:
        """Read them, the oldest first."""
        return (_read(path) for path in self._files())

    def _next(self) -> int:
        return max((int(path.stem) for path in self._files()), default=0) + 1

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.eml"))


def text_of(html: str) -> str:
    """Leave the markup of a mail out; each paragraph becomes a line."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    return "".join(reader.pieces).strip() + "\n"


def _read(path: Path) -> Mail:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    text = body.get_content() if body else ""
    return Mail(path.name, str(message["Date"]), str(message["To"]), str(message["Subject"]), text)


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in _ENDS_A_LINE:
            self.pieces.append("\n")
