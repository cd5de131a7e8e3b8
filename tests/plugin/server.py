# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of the file served.bin on a free port, which it writes to the file `port`. The first part of the path says how:
whole/ answers requests for ranges, plain/ ignores them, cut/ breaks off in the middle unless a range is asked for, wrong/ sends
other bytes. The file `asked` has the range of each request, or a hyphen."""
import http.server
import os

COUNT, PIXELS = 500, 3072
BODY = b"".join(bytes([i % 4]) + bytes((i * 7 + k * (1 + i % 4)) % 251 for k in range(PIXELS)) for i in range(COUNT))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        how = self.path.split("/")[1]
        asked = self.headers.get("Range") or "-"
        with open("asked", "a") as log:
            log.write(asked + "\n")
        start = 0 if asked == "-" or how == "plain" else int(asked.split("=")[1].split("-")[0])
        if start >= len(BODY):
            self.send_error(416)
            return
        body = bytes(len(BODY)) if how == "wrong" else BODY
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        end = len(body) // 2 if how == "cut" and asked == "-" else len(body)
        self.wfile.write(body[start:end])

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    with open("port.part", "w") as port:
        port.write(str(server.server_port))
    os.rename("port.part", "port")
    server.serve_forever()
