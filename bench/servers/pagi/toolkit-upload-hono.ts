import { app } from "../hono-upload.ts";

export default app;
