import { expect, test } from "bun:test";

const url = (module: string): string =>
  JSON.stringify(new URL(`../../src/process/${module}`, import.meta.url).href);

test.if(process.getuid?.() === 0)(
  "a thread that starts while access is checked as another user does not keep privileges from being dropped",
  async () => {
    // The C library ends a process whose threads may do different things when it changes their groups.
    const script = `
      const { actingAs, fileUserOf, wantedIdentity } = await import(${url("identity.ts")});
      const { dropPrivileges } = await import(${url("process-settings.ts")});
      const options = { user: "65534", group: "65534" }; // nobody, who executes nothing here
      const identity = wantedIdentity(options);
      actingAs(identity, fileUserOf(identity), () => {
        new Worker("data:text/javascript,postMessage(1); setInterval(() => {}, 1000)");
        Bun.sleepSync(200); // its thread starts
      });
      dropPrivileges(options);
      console.log(process.getuid(), process.getgid());
      process.exit(0);`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "ignore" });
    expect([await child.stdout.text(), await child.exited, child.signalCode]).toEqual([
      "65534 65534\n",
      0,
      null,
    ]);
  },
);
