import { handler, type HttpContext } from "pagi-server/context";
import { wrap } from "pagi-server/lifespan";
import { PagiResponse } from "pagi-server/response";
import { Router } from "pagi-server/router";
import { z } from "zod";
import { sendMail } from "./mail.ts";
import { countPrimes } from "./primes.ts";
import { Tasks } from "./tasks.ts";

/** Milliseconds that the end of the server waits for tasks which are to finish. */
const PATIENCE = Number(process.env["PATIENCE"] ?? 10_000);
/** Milliseconds between two looks for jobs that are to be forgotten. */
const TIDY_INTERVAL = Number(process.env["TIDY_INTERVAL"] ?? 60_000);
/** Milliseconds for which a job that has ended is kept, for whoever asks for it. */
const KEPT = Number(process.env["KEPT"] ?? 600_000);
/** Milliseconds that a job may take. */
const JOB_TIMEOUT = 60_000;

/** Milliseconds that a client may wait for a job to end. The end of the server waits for it as well. */
const LONGEST_WAIT = 10_000;

const tasks = new Tasks(100);
/** They need a processor each, so few of them run at once. */
const calculations = new Tasks(2);

/** How a calculation stands. Kept in memory, so all requests have to come to the same process. */
interface Job {
  state: "running" | "done" | "failed";
  primes?: number;
  endedAt?: number;
  readonly ended: Promise<void>;
}
const jobs = new Map<string, Job>();
let lastJob = 0;

const router = new Router()
  .get("/", PagiResponse.text("POST /signup, POST /primes, GET /jobs/ID\n"))

  // Waiting, not calculating: a promise, which is started here and kept elsewhere.
  .post(
    "/signup",
    handler(async (c) => {
      const { email } = await c.validate(z.object({ email: z.email().max(200) }));
      const isTaken = tasks.run(`the mail to ${email}`, (signal) => sendMail(email, "Welcome!", signal));
      if (!isTaken) return busy(c);
      // Something small, when the answer has arrived.
      c.connection.onComplete(() => console.error(`${email} knows`));
      return c.json({ created: email }, { status: 201 });
    }),
  )

  // Calculating: in a thread of its own. The client is told where it will find the result.
  .post(
    "/primes",
    handler(async (c) => {
      const { below } = await c.validate(z.object({ below: z.int().min(0).max(1_000_000_000) }));
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      const job: Job = { state: "running", ended };
      const path = `/jobs/${lastJob + 1}`;
      const work = async (signal: AbortSignal): Promise<void> => {
        try {
          job.primes = await countPrimes(below, AbortSignal.any([signal, AbortSignal.timeout(JOB_TIMEOUT)]));
          job.state = "done";
        } catch (error) {
          job.state = "failed";
          throw error;
        } finally {
          job.endedAt = Date.now();
          end();
        }
      };
      if (!calculations.run(path, work, { atShutdown: "cut" })) return busy(c);
      jobs.set(String(++lastJob), job);
      return c.json({ job: path }, { status: 202, headers: { location: path } });
    }),
  )

  .get(
    "/jobs/:id",
    handler(async (c) => {
      const job = jobs.get(c.params.id);
      if (job === undefined) return c.json({ error: "no such job" }, { status: 404 });
      // RFC 7240 section 4.3: `Prefer: wait=5` asks to answer when there is something to tell, or after 5 seconds.
      const seconds = Number(/^wait=(\d+)$/.exec(c.header("prefer") ?? "")?.[1] ?? 0);
      await Promise.race([job.ended, Bun.sleep(Math.min(seconds * 1000, LONGEST_WAIT))]);
      return c.json({ state: job.state, primes: job.primes });
    }),
  );

function busy(c: HttpContext): PagiResponse {
  const error = "too much is going on; come back later";
  return c.json({ error }, { status: 503, headers: { "retry-after": 10 } });
}

async function forgetOldJobs(): Promise<void> {
  for (const [id, { endedAt = Infinity }] of jobs) {
    if (Date.now() - endedAt < KEPT) continue;
    jobs.delete(id);
    console.error(`job ${id} is forgotten`);
  }
}

export default wrap(router, {
  startup() {
    tasks.every(TIDY_INTERVAL, "forgetting jobs", forgetOldJobs);
  },
  // No request is there any more. What is to be finished is finished; the rest is cut.
  async shutdown() {
    await Promise.all([tasks.stop(PATIENCE), calculations.stop(PATIENCE)]);
    console.error("all tasks have ended");
  },
});
