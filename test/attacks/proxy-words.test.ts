/**
 * The gate of the host's program, in both shells: what it escapes, what it takes for a proxy's address, what it
 * redacts.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { shown } from "../../core/shown.ts";
import { joinScripts } from "../../provider/apache/host-program.ts";

const functions = joinScripts(["lib/words.sh", "crl/sources.sh"]);

for (const [name, command] of [
  ["dash", ["dash"]],
  ["busybox ash", ["busybox", "ash"]],
] as const) {
  const run = (script: string, ...words: readonly string[]): string => {
    const [shell, ...options] = command;
    const environment = { PATH: process.env["PATH"], LC_ALL: "C" };
    const ended = spawnSync(shell, [...options, "-c", 'eval "$1"', "sh", script, ...words], {
      ...{ env: { ...environment, functions }, maxBuffer: 64 * 1024 * 1024 },
    });
    assert.equal(ended.stderr.toString("utf8"), "");
    return ended.stdout.toString("utf8");
  };
  const call = (script: string, ...words: readonly string[]): string =>
    run(`eval "$functions"; shift; ${script}`, ...words);

  describe(`the gate of the host's program, under ${name}`, () => {
    it("escapes as the controller does, of all characters that there are", () => {
      // Not the zero, which no argument holds, and not the halves of pairs, which UTF-8 has not.
      const codes = Array.from({ length: 0x10ffff }, (_, index) => index + 1).filter(
        (code) => code < 0x3000 || (code > 0xfe00 && code < 0x14000) || code % 977 === 0 || code > 0xe0000,
      );
      const text = codes
        .filter((code) => (code < 0xd800 || code > 0xdfff) && code < 0xe1100)
        .map((code) => String.fromCodePoint(code))
        .join("");
      const ended = spawnSync(command[0], [...command.slice(1), "-c", `${functions}\nescape_words`], {
        ...{ input: text, env: { PATH: process.env["PATH"], LC_ALL: "C" }, maxBuffer: 64 * 1024 * 1024 },
      });
      assert.ok(ended.stdout.toString("utf8") === shown(text));
    });

    it("shows bytes that are no UTF-8, keeps line ends where they are meant, and cuts what is too long", () => {
      const bytes = String.raw`printf 'a\200\303\n\355\240\200\300\200\344\270' | escape_words`;
      assert.equal(call(`${bytes} lines`), "a\\x80\\xc3\n\\xed\\xa0\\x80\\xc0\\x80\\xe4\\xb8");
      assert.equal(call(bytes), "a\\x80\\xc3\\u000a\\xed\\xa0\\x80\\xc0\\x80\\xe4\\xb8");
      assert.equal(call('plain "$1"', `日本\u001b[31m${"x".repeat(5000)}`).length, 2000 - 4 + 5);
    });

    const good = ["http://h:1", "http://u:p@h:3128/", "h:3128", "proxy.example", "u:pw@h:1", "socks5h://[::1]:1080"];
    const wrong = [
      "",
      "http//u:pw@h",
      "ftp://u:pw@h",
      "http://",
      "http://u:pw@",
      "http://u:pw@h:",
      "http://u:pw@h:12x",
    ];
    const odd = ["http://u:p/w@h", "http:/u:pw@h", "http://u:p w@h", "http://u:pw@h:99999", "http://u:pw@h:1:2"];
    const bad = ["https://u:p@ss@h", "http://h/path", "http://[]", "http://u:pw@[::zz]:1", 'h"', "h'", "h\\", "hé"];
    it("takes for a proxy's address what is one, and nothing else", () => {
      const taken = call(
        'for each; do ! is_proxy_address "$each" || printf "%s\\n" "$each"; done',
        ...good,
        "HTTP://H",
      );
      assert.deepEqual(taken.trim().split("\n"), [...good, "HTTP://H"]);
      const all = [...wrong, ...odd, ...bad];
      assert.equal(call('for each; do ! is_proxy_address "$each" || printf "<%s>\\n" "$each"; done', ...all), "");
    });

    it("redacts a name and a password, also of an address that is malformed", () => {
      const texts = [
        ...good,
        ...wrong,
        ...odd.filter((one) => !one.includes(" ")),
        "https://u:p@pw@h/a",
        "Unsupported 'u:pw@h' (http//u:pw@h)",
      ];
      const told = call('for each; do without_credentials_in "$each"; echo; done', ...texts);
      assert.doesNotMatch(told, /pw@|u:p/);
      assert.match(told, /^http:\/\/…@h:3128\/$/m);
    });
  });
}
