/** Milliseconds between two heartbeats, and between two looks at them; one that comes late is not one that is missing. */
export function beatInterval(timeoutSeconds: number): number {
  const usual = 1000;
  return timeoutSeconds === 0 ? usual : Math.max(20, Math.min(usual, (timeoutSeconds * 1000) / 4));
}
