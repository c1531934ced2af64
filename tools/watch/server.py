"""The page's server: static files, what the page draws as JSON, and what its
buttons do. On 127.0.0.1 only, for this machine's browser only."""
import http.server
import json
import os
import threading
import time
import urllib.parse

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
KINDS = {".html": "text/html; charset=utf-8", ".css": "text/css",
         ".js": "text/javascript", ".svg": "image/svg+xml"}
NO_GUEST = {"state": "none", "why": "No guest has been started here yet."}
JS_EXACT = 1 << 53


def for_js(value):
    """Numbers that a browser cannot hold, addresses all of them, as text."""
    if isinstance(value, dict):
        return {k: for_js(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [for_js(v) for v in value]
    if isinstance(value, int) and value >= JS_EXACT:
        return f"{value:#x}"
    return value


class Handler(http.server.BaseHTTPRequestHandler):
    """One request; self.server.finder and .lock are the server's."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, kind="application/json", status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def tell(self, content, status=200):
        self.answer(json.dumps(for_js(content)).encode(), status=status)

    def is_ours(self):
        """Not a page from elsewhere that asks this server behind its user's
        back."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        origin = self.headers.get("Origin")
        return host in ("127.0.0.1", "localhost") and \
            origin in (None, f"http://{self.headers.get('Host')}")

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if not self.is_ours():
            self.tell({"error": "only for this machine's pages"}, 403)
        elif url.path == "/state":
            self.tell(self.state(query))
        elif url.path == "/object":
            self.tell(self.object(query))
        else:
            self.file(url.path)

    def state(self, query):
        pins = {int(p) for p in query.get("pins", "").split(",")
                if p.isdigit()}
        with self.server.lock:
            start = time.perf_counter()
            guest = self.server.finder.find()
            told = guest.look(pins, query.get("search", "")) if guest \
                else dict(NO_GUEST)
            told["took"] = round((time.perf_counter() - start) * 1000, 2)
        return told

    def object(self, query):
        with self.server.lock:
            guest = self.server.finder.find()
            if not guest:
                return NO_GUEST
            try:
                addr = int(query.get("addr", ""), 16)
            except ValueError:
                return {"error": "addr= wants a hexadecimal address"}
            return guest.object(query.get("tag", ""), addr)

    def file(self, path):
        name = "index.html" if path == "/" else os.path.basename(path)
        kind = KINDS.get(os.path.splitext(name)[1])
        try:
            with open(os.path.join(PAGE, name), "rb") as f:
                body = f.read()
        except OSError:
            kind = None
        if kind:
            self.answer(body, kind)
        else:
            self.answer(b"not here\n", "text/plain", 404)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            guest = self.server.finder.find() if self.is_ours() else None
        actions = guest and {
            "/step": guest.stepper.step, "/pause": guest.stepper.pause,
            "/run": guest.stepper.run,
            "/echo": lambda: guest.echoer.send(guest.note["port"])}
        if not actions or self.path not in actions:
            self.tell({"error": "no guest, or no such button"}, 404)
            return
        try:
            actions[self.path]()
            self.tell({"done": True})
        except (OSError, EOFError, RuntimeError) as e:
            self.tell({"error": f"{self.path[1:]}: {e}: does the guest still "
                       "run?"}, 503)


class Server(http.server.ThreadingHTTPServer):
    """serve_forever() it."""
    daemon_threads = True

    def __init__(self, port, finder):
        super().__init__(("127.0.0.1", port), Handler)
        self.finder = finder
        self.lock = threading.Lock()
