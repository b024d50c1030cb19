import { expect, setDefaultTimeout, test } from "bun:test";

import { Folder, MAIN, Program } from "../support/program.ts";

// The mode that a start chooses when nobody names one: development where somebody sits at a terminal.

setDefaultTimeout(20_000);

const APP = `export default async (scope) => { if (scope.type !== "http") throw new Error(scope.type); };`;

/** A shell's word for the command line, wherever Bun and this project are. */
const SERVER = `server() { "$RUNTIME" "$MAIN" app.ts --print-config "$@"; }`;

/** The mode that the command line prints in a terminal, run by a shell in which `server` stands for it. */
async function inTerminal(
  command: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  using folder = new Folder({ "app.ts": APP });
  let shown = "";
  const isShown = Promise.withResolvers<void>();
  await using terminal = new Bun.Terminal({
    data(_terminal, bytes) {
      shown += new TextDecoder().decode(bytes);
      if (/^env +\w+ [^\n]*\n/m.test(shown)) isShown.resolve();
    },
  });
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:PAGI_.*|PORT|HOST)$/.test(name));
  const child = Bun.spawn(["sh", "-c", `${SERVER}; ${command}`], {
    cwd: folder.path,
    env: {
      ...Object.fromEntries(inherited),
      RUNTIME: process.execPath,
      MAIN,
      ...environment,
    },
    terminal,
  });
  await child.exited;
  await isShown.promise;
  const [, mode = ""] = /^env +(\w+) /m.exec(shown) ?? [];
  return mode;
}

test.each([
  ["server", "development"],
  ["server | cat", "development"],
  ["server 2>&1 | cat", "development"],
  ["server 2>/dev/null | cat", "development"],
  ["server </dev/null", "development"],
  ["server </dev/null 2>&1 | cat", "production"],
  ["server </dev/null >out 2>err; cat out", "production"],
  ["server >out 2>err; cat out", "production"],
  ["server -E none | cat", "none"],
])("%s in a terminal: %s", async (command, mode) => {
  expect(await inTerminal(command)).toBe(mode);
});

test("a mode that was named holds in a terminal too", async () => {
  expect(await inTerminal("server | cat", { PAGI_ENV: "production" })).toBe("production");
});

test("production that was not asked for is explained by the banner", async () => {
  using folder = new Folder({ "app.ts": APP });
  const banner = async (...words: string[]): Promise<string> => {
    await using program = Program.serve(folder, ["app.ts", "-p", "0", ...words]);
    const [line] = await program.prints(/Serving .*\n/);
    return line;
  };
  for (const words of [[], ["-w", "2"]])
    expect(await banner(...words)).toEndWith(
      "(production, because there is no terminal; -E development changes it)\n",
    );
  expect(await banner("-E", "production")).toEndWith("(production)\n");
  expect(await banner("-E", "none")).toEndWith("(no environment)\n");
});
