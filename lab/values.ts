/** Returns the value, or throws an error that names what is missing. */
export function requireValue<T>(value: T | undefined, what: string): T {
  if (value === undefined || value === "") throw new Error(`lab: ${what} was not found`);
  return value;
}
