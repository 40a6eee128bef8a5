"""Check a built site: every link leads somewhere in it, and no page loads anything from elsewhere.

python docs/site/check.py out/site
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

SELF_MADE = ("playground", "code")  # the scripts of these pages read what follows the # themselves
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
          "embed": "src", "object": "data", "input": "src", "image": "href", "use": "href"}  # fmt: skip
FOLLOWED = {"canonical", "prev", "next", "author", "license", "search", "index"}  # links that load nothing


class Page(HTMLParser):
    """The links of a page, what it loads, and the anchors in it; a page within it counts as part of it."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loads = set(), [], []
        self._styles = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = {name: value or "" for name, value in attributes}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self._styles = tag == "style"
        if "srcdoc" in values:
            inner = Page(values["srcdoc"])
            self.loads += inner.loads
        for attribute in (LOADED.get(tag), "xlink:href" if tag in LOADED else None, "poster"):
            if values.get(attribute):
                self.loads.append(values[attribute])
        self.loads += [part.split()[0] for part in values.get("srcset", "").split(",") if part.strip()]
        self.loads += urls(values.get("style", ""))
        if tag == "link" and not FOLLOWED & set(values.get("rel", "").split()):
            self.loads.append(values.get("href", ""))
        elif tag in ("a", "area", "link") and "href" in values:
            self.links.append(values["href"])
        if values.get("http-equiv", "").lower() == "refresh":
            self.links.append(values["content"].partition("url=")[2])

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        if self._styles:
            self.loads += urls(data)


def urls(css):
    """Return what a style sheet loads.

    >>> urls('@import "a.css"; p { background: url(b.png) }')
    ['b.png', 'a.css']
    """
    return re.findall(r"""url\(\s*["']?([^"')]+)""", css) + re.findall(r"""@import\s+["']([^"']+)""", css)


def check(site):
    """Return the faults of a site, one line each."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    faults = []
    for path, page in pages.items():
        where = path.relative_to(site)
        faults += [f"{where} loads {url}" for url in page.loads if is_outside(url)]
        for url in [*page.links, *page.loads]:
            if not is_outside(url) and (fault := broken(url, path, pages)):
                faults.append(f"{where}: {url} {fault}")
    for path in sorted(site.rglob("*.css")):
        loads = urls(path.read_text(encoding="utf-8"))
        faults += [f"{path.relative_to(site)} loads {url}" for url in loads if is_outside(url)]
    return faults


def is_outside(url):
    """Return whether a URL names another server.

    >>> is_outside("//example.org/a.js"), is_outside("a.js#b"), is_outside("data:,")
    (True, False, False)
    """
    parts = urlsplit(url)
    return bool(parts.netloc) or parts.scheme not in ("", "data", "blob", "about", "javascript")


def broken(url, path, pages):
    """Return what is wrong with a link of the page at ``path`` to a place in the site, or None."""
    parts = urlsplit(url)
    if parts.scheme:
        return None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return "leads to no file"
    page = pages.get(target)
    own = any(part in SELF_MADE for part in target.parts)
    if parts.fragment and page and not own and unquote(parts.fragment) not in page.anchors | {"top"}:
        return "leads to no anchor"
    return None


def main():
    """Check the site that the command line names."""
    site = Path(sys.argv[1]).resolve()
    faults = check(site)
    print(
        "\n".join(faults)
        or f"{len(list(site.rglob('*.html')))} pages: every link is whole, nothing is loaded from elsewhere"
    )
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
