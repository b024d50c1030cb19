import { app } from "../elysia-app.ts";

export default app;
