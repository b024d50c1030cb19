export { expressApp as default } from "../node-handlers.ts";
