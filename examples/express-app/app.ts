import express from "express";
import { dispatch, type Application } from "pagi-server";
import { fromNode, scopeOf } from "pagi-server/node";

interface Todo {
  readonly id: number;
  readonly text: string;
}

/** An ordinary Express application. */
const todos = express();
const list: Todo[] = [];

todos.use(express.json({ limit: "10kb" }));

todos.get("/todos", (_request, response) => {
  response.json(list);
});

todos.post("/todos", (request, response) => {
  const body: unknown = request.body;
  const text = typeof body === "object" && body !== null && "text" in body ? body.text : undefined;
  if (typeof text !== "string" || text === "") {
    response.status(422).json({ error: "text is missing" });
    return;
  }
  const todo = { id: list.length + 1, text };
  list.push(todo);
  response.status(201).location(`/todos/${todo.id}`).json(todo);
});

todos.get("/me", (request, response) => {
  response.json({
    ip: request.ip,
    protocol: request.protocol,
    startedBy: scopeOf(request)?.state["startedBy"],
  });
});

todos.get("/countdown", (_request, response) => {
  let left = 3;
  const tick = (): void => {
    if (left === 0) response.end("lift-off\n");
    else response.write(`${left--}\n`);
  };
  const timer = setInterval(tick, 10);
  // Also when the client has gone.
  response.on("close", () => clearInterval(timer));
});

// Express would answer with a page of its own.
todos.use((_request, response) => {
  response.status(404).json({ error: "not found" });
});

const requests = fromNode(todos);

/** What Express knows nothing of: a WebSocket, and the life of the application. */
const others = dispatch({
  async websocket(_scope, receive, send) {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: `todos: ${list.length}` });
    await send({ type: "websocket.close" });
  },
  async lifespan(scope, receive, send) {
    await receive();
    scope.state["startedBy"] = "PAGI";
    await send({ type: "lifespan.startup.complete" });
    await receive();
    await send({ type: "lifespan.shutdown.complete" });
  },
});

const app: Application = (scope, receive, send) => {
  const isRequest = scope.type === "http" || scope.type === "sse";
  return isRequest ? requests(scope, receive, send) : others(scope, receive, send);
};

export default app;
