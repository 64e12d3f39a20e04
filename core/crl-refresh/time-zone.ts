/** Names of time zones, as hosts know them. */

/**
 * What is wrong with the name of a time zone, and what to write. Undefined where it is right. A host takes a zone that
 * its library does not know for UTC, and says nothing. `Intl` accepts more names than a host does: names in any
 * capitals, and abbreviations such as JST.
 */
export function findTimeZoneMistake(text: string): string | undefined {
  const wanted = "write a name of the time zone database, such as Asia/Tokyo";
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(text)) return `it is no name of a time zone; ${wanted}`;
  if (/^[A-Z]{3}$/.test(text) && !["UTC", "GMT"].includes(text))
    return `it is an abbreviation, which hosts take for UTC; ${wanted}`;
  try {
    const properName = new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
    const isMisspelt = properName !== text && properName.toLowerCase() === text.toLowerCase();
    return isMisspelt ? `its capitals are not those of the time zone database; write ${properName}` : undefined;
  } catch (error) {
    // `Intl` throws this error for a name that it does not know.
    if (error instanceof RangeError) return `there is no time zone of this name; ${wanted}`;
    throw error;
  }
}
