export * from "./application.ts";
export * from "./connection-state.ts";
export * from "./events.ts";
export * from "./scope.ts";
export * from "./transport-state.ts";
export * from "./values.ts";
