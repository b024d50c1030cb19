import { AutoRouter } from "itty-router";

const router = AutoRouter();
router.get("/user/:id", ({ params }) => ({ id: params["id"] }));
router.post("/echo", (request) => request.json());

export default router;
