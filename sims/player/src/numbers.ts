/** Numbers as the page prints them: fixed decimals and a real minus sign. */

/** `value` with `digits` decimals; an em dash when it is not a finite number. */
export function printed(value: number | null, digits: number): string {
  if (value === null || !Number.isFinite(value)) return "—";
  const text = value.toFixed(Math.min(Math.max(digits, 0), 20));
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** Bytes in the unit a reader thinks in. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
