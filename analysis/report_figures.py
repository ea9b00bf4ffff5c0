"""Figures as the report holds them: in the page itself, with their captions."""

import base64
import re
from pathlib import Path

from jobs import files

CAPTIONS = Path(__file__).parent.parent / "rules" / "captions"
MIME = {".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif"}
WIDE = 540  # points
LARGE = 400_000  # bytes above which a vector figure is shown as PNG, to keep the page light
HEAVY = 2_000_000  # bytes above which a picture is linked to, not held by a page of one chapter
LIGHT = 100_000  # bytes of a picture that every page holds


def limit(chapters):
    """Bytes above which a picture is linked to: the less, the more chapters share the page."""
    return max(LIGHT, HEAVY // max(1, chapters))


def chosen(folder, item, largest=HEAVY):
    """The figures of a section; of those that a file names, only these, with its words."""
    path = folder / item.get("said", "")
    if not path.is_file():
        return [figure(folder, name, "", largest) for name in item["figures"]]
    said = files.read_json(path)
    return [figure(folder, name, said[name], largest) for name in item["figures"] if name in said]


def figure(folder, name, said="", largest=HEAVY):
    """A figure as a data address (vector where it is small), its title and its caption.

    One above `largest` bytes has the address of its file instead, as `link`.
    """
    caption = CAPTIONS / f"{name}.rst"
    words = " ".join([*(caption.read_text().split() if caption.is_file() else ()), *said.split()])
    found = [
        folder / f"{name}{suffix}" for suffix in MIME if (folder / f"{name}{suffix}").is_file()
    ]
    if not found:
        return {"name": name, "source": None, "link": None, "wide": False, "caption": words}
    path = found[0] if found[0].stat().st_size < LARGE else found[-1]
    if path.stat().st_size > largest:
        link = "/".join(path.parts[-4:])  # from results/, where the page lies
        return {"name": name, "source": None, "link": link, "wide": False, "caption": words}
    content = base64.b64encode(path.read_bytes()).decode()
    source = f"data:{MIME[path.suffix]};base64,{content}"
    wide = _wide(found[0])
    return {"name": name, "source": source, "link": None, "wide": wide, "caption": words}


def _wide(svg):
    """Whether a figure is too wide for a phone, which may scroll it."""
    size = re.search(rb'<svg[^>]* width="([\d.]+)pt"', svg.read_bytes()[:2000])
    return bool(size) and float(size[1]) > WIDE
