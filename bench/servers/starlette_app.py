"""The scenarios of the toolkit by Starlette."""

import hashlib

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

COLLECTIONS = (
    "accounts addresses articles books calendars carts comments companies contacts events "
    "files groups invoices messages orders payments photos products projects users"
).split()


async def answer(request):
    return JSONResponse({"id": request.path_params.get("id", ""), "name": "Ada", "tags": ["a", "b"]})


async def upload(request):
    form = await request.form()
    file = form["file"].file
    if request.url.path != "/digest":
        return PlainTextResponse(str(file.seek(0, 2)))
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return PlainTextResponse(digest.hexdigest())


routes = [
    Route(path, answer, methods=[method])
    for name in COLLECTIONS
    for method, path in (
        ("GET", f"/{name}"),
        ("POST", f"/{name}"),
        ("GET", f"/{name}/{{id}}"),
        ("PUT", f"/{name}/{{id}}"),
        ("DELETE", f"/{name}/{{id}}"),
    )
]
uploads = [Route(path, upload, methods=["POST"]) for path in ("/", "/digest")]

app = Starlette(routes=routes + uploads)
