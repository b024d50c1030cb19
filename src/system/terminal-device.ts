/**
 * Whether a device is a terminal, by its major number: 136 to 143 are pseudo-terminals, 4 is the console
 * (Documentation/admin-guide/devices.txt).
 */
export function isTerminalDevice(rdev: number): boolean {
  const major = (rdev >> 8) & 0xfff;
  return major === 4 || (major >= 136 && major <= 143);
}
