/**
 * What a host holds is bytes: names of files, lines of a configuration, words of its own program. In here they are a
 * string with one character for each byte (latin1), from the moment they arrive until they are shown or sent back. What
 * a person writes, and what a person reads, is text. These two functions are the only border between the two: whoever
 * crosses it elsewhere encodes a Japanese path twice.
 */

/** Text of a site file, a command line or an import id as the bytes of a host. */
export const hostBytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** Bytes of a host as text to be shown: UTF-8, and where they are no UTF-8 every byte beyond ASCII as `\xNN`. */
export const hostText = (bytes: string): string => findText(bytes) ?? bytes.replace(/[\x80-\xff]/g, escapeByte);

/** The same for what must come out as it went in; undefined where the bytes are no UTF-8. */
export function findText(bytes: string): string | undefined {
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  return hostBytes(text) === bytes ? text : undefined;
}

const escapeByte = (byte: string): string => `\\x${byte.charCodeAt(0).toString(16)}`;

/**
 * What httpd writes into its log, and says on standard error, as the bytes that it means. @see ap_escape_errorlog_item
 */
export const unescapeLog = (text: string): string =>
  text.replace(/\\x[0-9a-f]{2}|\\[\\bnrtv]/g, (found) =>
    found.startsWith("\\x")
      ? String.fromCharCode(Number.parseInt(found.slice(2), 16))
      : (letters[found] ?? found.slice(1)),
  );

const letters: Readonly<Record<string, string>> = {
  "\\b": "\b",
  "\\n": "\n",
  "\\r": "\r",
  "\\t": "\t",
  "\\v": "\v",
};
