/** Text as an unsigned decimal number, such as `"8192"`. */
type NumberText = `${number}`;

/**
 * A length of time: a number of seconds, or text with a unit: `"500ms"`, `"30s"`, `"2m"`, `"1h"`, `"1d"`. Text without a
 * unit is seconds.
 */
export type Duration = number | NumberText | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** A number of bytes, or text with a unit in powers of 1024: `"64k"`, `"10m"`, `"1g"`, also written `"10mb"` or `"10MiB"`. */
export type Size =
  | number
  | NumberText
  | `${number}${"k" | "m" | "g" | "K" | "M" | "G"}`
  | `${number}${"kb" | "mb" | "gb" | "KB" | "MB" | "GB" | "kib" | "mib" | "gib" | "KiB" | "MiB" | "GiB"}`;
