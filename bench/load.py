"""A load of purchases for machines without `wrk`: keep-alive connections of one process, each a request at a time.

`python -m bench.load URL CONNECTIONS SECONDS` with MEMBERS, RUN and AT as in `purchase.lua`; prints the same line.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

SKUS = {
    "ESPRESSO": "coffee",
    "CHEESECAKE": "cake",
    "SCONE": "bakery",
    "GREENTEA": "tea",
    "JUICE": "drinks",
    "SANDWICH": "food",
}


def body(members: list[str], number: str, rng: random.Random) -> bytes:
    lines = []
    for i in range(6):
        sku = rng.choice(list(SKUS))
        price = rng.randint(99, 999)
        lines.append(
            {
                "line_id": str(i),
                "sku": sku,
                "categories": [SKUS[sku]],
                "quantity": rng.randint(1, 3),
                "unit_price_minor": price,
            }
        )
    basket = {
        "receipt_id": f"{os.environ['RUN']}-{number}",
        "store_id": "mitte",
        "till_id": "1",
        "occurred_at": os.environ["AT"],
        "currency": "EUR",
        "member": {"id": rng.choice(members)},
        "lines": lines,
    }
    return json.dumps(basket).encode()


async def caller(
    host: str, port: int, number: int, until: float, members: list[str], told: list[tuple[float, bool]]
) -> None:
    rng = random.Random(number)
    reader, writer = await asyncio.open_connection(host, port)
    head = f"POST /v1/purchases HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: "
    sent = 0
    while time.perf_counter() < until:
        sent += 1
        content = body(members, f"{number}-{sent}", rng)
        start = time.perf_counter()
        writer.write(f"{head}{len(content)}\r\n\r\n".encode() + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        told.append((time.perf_counter() - start, answer[9:10] == b"2"))
    writer.close()


async def main(url: str, connections: int, seconds: float, members: list[str]) -> None:
    address = urlsplit(url)
    told: list[tuple[float, bool]] = []
    start = time.perf_counter()
    callers = [
        caller(address.hostname or "127.0.0.1", address.port or 80, number, start + seconds, members, told)
        for number in range(connections)
    ]
    await asyncio.gather(*callers)
    took = int((time.perf_counter() - start) * 1e6)
    times = sorted(int(seconds * 1e6) for seconds, _ in told)
    bad = sum(not good for _, good in told)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"RESULT requests={len(told)} us={took} p50={p50} p99={p99} bad={bad}")


if __name__ == "__main__":
    members = Path(os.environ["MEMBERS"]).read_text().split()
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), members))
