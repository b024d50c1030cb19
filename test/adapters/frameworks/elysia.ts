import { Elysia, t } from "elysia";

export default new Elysia()
  .get("/user/:id", ({ params }) => ({ id: params.id }))
  .post("/echo", ({ body }) => body, { body: t.Object({ name: t.String() }) })
  .get("/stream", async function* () {
    yield "one ";
    yield "two";
  });
