"""Pages as a browser would read them, for tests of reports."""

import re
from html.parser import HTMLParser


class Reader(HTMLParser):
    """What a browser would do with a page: the elements in order, and whether they close."""

    VOID = frozenset({"meta", "br", "hr", "img", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.found, self.unmatched = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.unmatched.append(tag)

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def assert_closed_and_alone(text: str) -> Reader:
    """Elements nest, names are unique and found, and nothing outside is referred to."""
    reader = Reader(text)
    assert reader.open == []
    assert reader.unmatched == []
    names = [a["id"] for _, a in reader.found if "id" in a]
    assert len(names) == len(set(names))
    for tag, attributes in reader.found:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        assert not any(key.startswith("on") for key in attributes)
        for key, value in attributes.items():
            if key.rpartition(":")[2] in {"href", "src", "srcset", "action", "data"}:
                assert value.startswith(("#", "data:image/")), value
                assert not value.startswith("#") or value[1:] in names, value
            for inside in re.findall(r"url\((.*?)\)", value or ""):
                assert inside.startswith("#"), value
                assert inside[1:] in names, value
    assert "@import" not in text
    assert "://" not in re.sub(r'base64,[^"]*', "", text)
    return reader
