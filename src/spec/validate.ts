import { EventError } from "../errors.ts";
import { nearestName } from "./nearest-name.ts";
import type { Scope } from "./scope.ts";
import { RULES, type EventRule } from "./validate/event-rules.ts";
import { SCOPE_RULES } from "./validate/scope-rules.ts";
import { described, isRecord, type FieldRule } from "./validate/value-kind.ts";

export { RULES } from "./validate/event-rules.ts";
export { SCOPE_RULES } from "./validate/scope-rules.ts";

/** The table again, in the form that a check walks. A Map, so that `constructor` is no type of event. */
const CHECKS = new Map<string, { rule: EventRule; fields: readonly [name: string, rule: FieldRule][] }>(
  Object.entries<EventRule>(RULES).map(([type, rule]) => [
    type,
    { rule, fields: Object.entries(rule.fields) },
  ]),
);

/**
 * Checks an event that an application sends, field by field; the order of events is not looked at. Fields that the
 * specification does not know are ignored.
 *
 * @throws EventError naming the event, the field and the rule.
 */
export function validateSendEvent(scopeType: Scope["type"], event: unknown): void {
  validateEvent("send", scopeType, event);
}

/**
 * Checks an event that a server, or middleware in its place, gives to an application.
 *
 * @throws EventError naming the event, the field and the rule.
 */
export function validateReceiveEvent(scopeType: Scope["type"], event: unknown): void {
  validateEvent("receive", scopeType, event);
}

/**
 * Checks the scope that an application is called with. Keys that the specification does not know are ignored.
 *
 * @throws EventError naming the scope (`http scope`), the key and the rule.
 */
export function validateScope(scope: unknown): void {
  if (!isRecord(scope))
    throw new EventError("scope", undefined, `must be an object; found ${described(scope)}`);
  const { type } = scope;
  if (!isScopeType(type)) {
    const known = Object.keys(SCOPE_RULES).join(", ");
    throw new EventError("scope", "type", `must be one of ${known}; found ${described(type)}`);
  }
  for (const [name, rule] of Object.entries(SCOPE_RULES[type])) {
    checkField(`${type} scope`, name, rule, scope[name]);
  }
}

function isScopeType(type: unknown): type is Scope["type"] {
  return typeof type === "string" && Object.hasOwn(SCOPE_RULES, type);
}

function validateEvent(direction: EventRule["direction"], scopeType: Scope["type"], event: unknown): void {
  if (!isRecord(event)) {
    throw new EventError("event", undefined, `must be an object with a 'type'; found ${described(event)}`);
  }
  const { type } = event;
  if (typeof type !== "string") {
    throw new EventError("event", "type", `must be a string; found ${described(type)}`);
  }
  const checks = CHECKS.get(type);
  if (checks === undefined) {
    const nearest = nearestName(type, CHECKS.keys());
    throw new EventError(type, undefined, `is no type of event; the nearest known one is '${nearest}'`);
  }
  const { rule, fields } = checks;
  if (!rule.scopes.includes(scopeType)) {
    const its = rule.scopes.map((each) => `'${each}'`).join(" or ");
    const problem = `is an event of the scope type ${its}, and this is a scope of type '${scopeType}'`;
    throw new EventError(type, undefined, `${problem} (${rule.source})`);
  }
  if (rule.direction !== direction) {
    const problem = direction === "send" ? "comes from the server only" : "comes from the application only";
    throw new EventError(type, undefined, `${problem} (${rule.source})`);
  }
  for (const [name, field] of fields) checkField(type, name, field, event[name]);
  if (rule.choice !== undefined) checkChoice(type, rule.choice, event);
}

function checkField(owner: string, name: string, rule: FieldRule, value: unknown): void {
  if (value === undefined || value === null) {
    if (!rule.required) return;
    throw new EventError(owner, name, `is missing: it ${rule.text} (${rule.source})`);
  }
  const problem = rule.check(value);
  if (problem !== undefined) throw new EventError(owner, name, `${rule.text}; ${problem} (${rule.source})`);
}

function checkChoice(
  type: string,
  choice: NonNullable<EventRule["choice"]>,
  event: Readonly<Record<string, unknown>>,
): void {
  let chosen: string | undefined;
  for (const name of choice.fields) {
    if (event[name] === undefined || event[name] === null) continue;
    if (chosen !== undefined) {
      throw new EventError(type, name, `is given besides '${chosen}': ${choice.text} (${choice.source})`);
    }
    chosen = name;
  }
  if (chosen === undefined && choice.required) {
    throw new EventError(type, choice.fields[0], `is missing: ${choice.text} (${choice.source})`);
  }
}
