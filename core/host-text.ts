/**
 * What a host holds is bytes: names of files, lines of a configuration, output of its programs. In this program they
 * are a string with one character for each byte (latin1), from their arrival until they are shown or sent back. What a
 * person writes or reads is text. These functions are the only border between bytes and text: code that converts
 * elsewhere would encode a Japanese path twice.
 */

/** Turns text of a site file, a command line or an import id into bytes of a host. */
export const hostBytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/**
 * Turns bytes of a host into text to show: UTF-8, or, where they are not UTF-8, ASCII with every other byte as `\xNN`.
 */
export const hostText = (bytes: string): string => findText(bytes) ?? bytes.replace(/[\x80-\xff]/g, escapeByte);

/**
 * Like {@link hostText}, for a text that must convert back to the same bytes; undefined where the bytes are not UTF-8.
 */
export function findText(bytes: string): string | undefined {
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  return hostBytes(text) === bytes ? text : undefined;
}

const escapeByte = (byte: string): string => `\\x${byte.charCodeAt(0).toString(16)}`;

/**
 * The bytes that httpd means by an escaped text in its log or on standard error.
 *
 * @see ap_escape_errorlog_item
 */
export const unescapeLog = (text: string): string =>
  text.replace(/\\x[0-9a-f]{2}|\\[\\bnrtv]/g, (escape) =>
    escape.startsWith("\\x")
      ? String.fromCharCode(Number.parseInt(escape.slice(2), 16))
      : (controlCharacters[escape] ?? escape.slice(1)),
  );

/** The control characters that httpd escapes by a letter. `\\` is not listed: it stands for the backslash after it. */
const controlCharacters: Readonly<Record<string, string>> = {
  "\\b": "\b",
  "\\n": "\n",
  "\\r": "\r",
  "\\t": "\t",
  "\\v": "\v",
};
