/** Names of time zones, as hosts know them. */

/**
 * Finds a wrong name of a time zone. A zone that the host's library does not know would silently be UTC there. `Intl`
 * accepts more names than the host: any capitals, and JST.
 */
export function findTimeZoneMistake(text: string): string | undefined {
  const wanted = "write a name of the time zone database, such as Asia/Tokyo";
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(text)) return `it is no name of a time zone; ${wanted}`;
  if (/^[A-Z]{3}$/.test(text) && !["UTC", "GMT"].includes(text))
    return `it is an abbreviation, which hosts take for UTC; ${wanted}`;
  try {
    const known = new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
    const isMisspelt = known !== text && known.toLowerCase() === text.toLowerCase();
    return isMisspelt ? `its capitals are not those of the time zone database; write ${known}` : undefined;
  } catch (error) {
    if (error instanceof RangeError) return `there is no time zone of this name; ${wanted}`;
    throw error;
  }
}
