"""A client of both foreign services: writes an entry, or prints it; where and with which login its environment says."""

from __future__ import annotations

import base64
import os
import sys
import urllib.request

DAY = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//mlox//tests//EN
BEGIN:VEVENT
UID:day
DTSTAMP:20260101T000000Z
DTSTART:20260101T100000Z
SUMMARY:written by its client
END:VEVENT
END:VCALENDAR
"""


def ask(method: str, path: str, body: str | None = None) -> str:
    """What the service answers."""
    login = base64.b64encode(f"author:{os.environ['SHELF_PASSWORD']}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "text/calendar"}
    url = f"{os.environ['SHELF_URL'].rstrip('/')}{path}"
    request = urllib.request.Request(url, body.encode() if body else None, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


if __name__ == "__main__":
    if sys.argv[1] == "write":
        for method in sys.argv[2:]:  # how a folder is made, where that has to be said
            ask(method, "/author/diary/")
        ask("PUT", "/author/diary/day.ics", DAY)
    else:
        print(sorted(ask("GET", "/author/diary/day.ics").split()))
