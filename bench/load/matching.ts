// How long the router of the toolkit takes from a scope to the application of its route, without any server. Prints the
// middle of its rounds. Arguments: how many routes it has, how many of them are asked for, rounds.
import { Router } from "pagi-server/router";
import { httpScope } from "../../test/support/fake-scope.ts";
import { median } from "../statistics.ts";

const [routes = 0, asked = 0, rounds = 0] = process.argv.slice(2).map(Number);
const REQUESTS = 20_000;
const PATHS = 500;

const router = new Router();
let called = 0;
for (let index = 0; index < routes; index++) {
  router.get(`/collection${index}/:id`, () => {
    called += 1;
    return Promise.resolve();
  });
}
const app = router.toApp();
const receive = () => Promise.reject(new Error("the body is not read here"));
const send = () => Promise.reject(new Error("nothing is sent here"));
const scopes = Array.from({ length: PATHS }, (_, index) => {
  const path = `/collection${((index % asked) * routes) / asked}/${index}`;
  return httpScope({ path, raw_path: path });
});

/** Nanoseconds for each request. */
async function round(): Promise<number> {
  const begin = Bun.nanoseconds();
  for (let sent = 0; sent < REQUESTS; sent += PATHS) {
    for (const scope of scopes) await app(scope, receive, send);
  }
  return (Bun.nanoseconds() - begin) / REQUESTS;
}

const times: number[] = [];
// What runs first is not compiled yet.
for (let done = -2; done < rounds; done++) {
  const time = await round();
  if (done >= 0) times.push(time);
}
if (called !== REQUESTS * (rounds + 2)) throw new Error(`only ${called} requests came to a route`);
console.log(JSON.stringify({ nanoseconds: median(times) }));
process.exit(0);
