/** The value, or an error that says which one is missing. */
export function requireValue<T>(value: T | undefined, what: string): T {
  if (value === undefined || value === "") throw new Error(`lab: ${what} was not found`);
  return value;
}
