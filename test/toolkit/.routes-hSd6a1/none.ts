import { Router } from "../../../src/toolkit/router.ts";
const router = new Router();
export default router;
