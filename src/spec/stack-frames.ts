/** The folders of the package whose code runs around an application. Its examples and tests are applications. */
const OWN_FOLDERS = "(?:src|cli|adapters|middleware|dist)/";
const THIS_FILE = "src/spec/stack-frames.ts";
/** Stands between the frames of the user's code and those of this package. */
const HEADING = "in pagi-server:";

let ownFrame: RegExp | undefined;

/**
 * The frames of an error's stack, one line each, beginning with `at`. Those of this package come last, below a line that
 * says so: an error that `send` throws was made here, but the line to fix is the user's. Where the stack does not tell
 * the two apart, as in a compiled program, the order is the stack's own.
 */
export function stackFrames(error: Error): string[] {
  // Errors of Bun's bundler and resolver have no stack, whatever the type says.
  const stack: string | undefined = error.stack;
  if (stack === undefined) return [];
  // A message of several lines could hold one that looks like a frame, so it is cut off first.
  const start = stack.indexOf(error.message);
  const frames = (start === -1 ? stack : stack.slice(start + error.message.length))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "));
  const [theirs, own]: [string[], string[]] = [[], []];
  ownFrame ??= findOwnFrame();
  let isOwn = true;
  for (const frame of frames) {
    // Native frames have no file; they belong to the frame above them.
    if (frame.includes("/")) isOwn = ownFrame.test(frame);
    (isOwn ? own : theirs).push(frame);
  }
  return theirs.length === 0 || own.length === 0 ? frames : [...theirs, HEADING, ...own];
}

/**
 * Matches frames of this package. Its place is read from a stack, where the source map of the bundle has been applied,
 * and not from `import.meta`, which in the bundle is another one.
 */
function findOwnFrame(): RegExp {
  const [, root] = new RegExp(`[( ](/.*)${RegExp.escape(THIS_FILE)}:`).exec(new Error().stack ?? "") ?? [];
  return root === undefined ? /$^/ : new RegExp(`[( ]${RegExp.escape(root)}${OWN_FOLDERS}`);
}
