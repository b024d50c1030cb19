import { fromNode } from "pagi-server/node";
import { bare } from "../node-handlers.ts";

export default fromNode(bare);
