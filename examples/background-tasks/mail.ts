import { setTimeout } from "node:timers/promises";

/** Milliseconds that a mail takes. */
const MAIL_TIME = Number(process.env["MAIL_TIME"] ?? 2000);

/** In a real application: a request to the service that sends mails, which is given the signal. */
export async function sendMail(to: string, subject: string, signal: AbortSignal): Promise<void> {
  await setTimeout(MAIL_TIME, undefined, { signal });
  if (to.endsWith(".invalid")) throw new Error(`no server takes mail for ${to}`);
  console.error(`mail to ${to}: ${subject}`);
}
