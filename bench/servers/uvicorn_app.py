"""The same answers as an ASGI application. The scenario is named by BENCH_SCENARIO."""

import asyncio
import json as json_module
import os

CHUNKS = 64
CHUNK = b"a" * (16 * 1024)
FILE = os.environ.get("BENCH_FILE", "")
EVENTS = int(os.environ.get("BENCH_EVENTS") or 0)
go = asyncio.Event()


async def start(send, content_type, length=None):
    headers = [(b"content-type", content_type)]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def answer(send, content_type, body):
    await start(send, content_type, len(body))
    await send({"type": "http.response.body", "body": body})


async def hello(scope, receive, send):
    await answer(send, b"text/plain;charset=utf-8", b"Hello, World!")


async def json(scope, receive, send):
    value = {"message": "Hello, World!", "id": 12345, "tags": ["a", "b", "c"], "nested": {"ok": True}}
    await answer(send, b"application/json", json_module.dumps(value, separators=(",", ":")).encode())


async def post64k(scope, receive, send):
    length = 0
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return
        length += len(event["body"])
        if not event.get("more_body"):
            break
    await answer(send, b"text/plain;charset=utf-8", b"%d" % length)


async def stream(scope, receive, send):
    await start(send, b"application/octet-stream")
    for sent in range(1, CHUNKS + 1):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": sent < CHUNKS})


async def file(scope, receive, send):
    size = os.stat(FILE).st_size
    await start(send, b"application/octet-stream", size)
    with open(FILE, "rb") as source:
        while chunk := source.read(256 * 1024):
            size -= len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": size > 0})


async def sse(scope, receive, send):
    global go
    if scope["path"] == "/go":
        go.set()
        go = asyncio.Event()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        return
    begin = go
    await start(send, b"text/event-stream")
    await send({"type": "http.response.body", "body": b":ready\n\n", "more_body": True})
    await begin.wait()
    for n in range(1, EVENTS + 1):
        event = b"event: tick\nid: %d\ndata: The quick brown fox jumps over the lazy dog\n\n" % n
        await send({"type": "http.response.body", "body": event, "more_body": n < EVENTS})


members = set()


async def ws(scope, receive, send):
    if scope["type"] != "websocket":
        return await answer(send, b"text/plain", b"")
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/room":
        members.add(send)
        await send({"type": "websocket.send", "text": "ready"})
    while (event := await receive())["type"] == "websocket.receive":
        message = {"type": "websocket.send", "text": event["text"]}
        if scope["path"] == "/room":
            await asyncio.gather(*(member(message) for member in members))
        else:
            await send(message)
    members.discard(send)


handler = globals()[os.environ["BENCH_SCENARIO"]]


async def app(scope, receive, send):
    if scope["type"] != "http" and handler is not ws:
        raise RuntimeError(f"no {scope['type']} here")
    await handler(scope, receive, send)
