"""A web server of a folder, for pages that need one."""

import contextlib
import functools
import http.server
import threading
from types import SimpleNamespace


class Handler(http.server.SimpleHTTPRequestHandler):
    """A handler that writes no log."""

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve(folder):
    """Serve a folder while a `with` statement runs; its value is the address, which ends with a slash."""
    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def address(url):
    """Return a URL as `Browser.open` takes a page."""
    return SimpleNamespace(as_uri=lambda: url)
