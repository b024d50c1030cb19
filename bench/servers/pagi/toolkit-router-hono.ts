import { app } from "../hono-router.ts";

export default app;
