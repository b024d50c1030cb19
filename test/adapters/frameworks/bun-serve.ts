// What `bun run` would serve by itself.
export default {
  port: 3000,
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") return Response.json(await request.json());
    return Response.json({ id: pathname.split("/").at(-1) });
  },
};
