export { fastifyApp as default } from "../node-handlers.ts";
