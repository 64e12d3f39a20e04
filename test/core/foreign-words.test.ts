/**
 * The controller's gate: whatever a host says, nothing of it steers a terminal, deceives a reader, or is without bound.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { shown, shownDeep, shownLines } from "../../core/shown.ts";
import { styleFor } from "../../cli/output.ts";
import { asOneLine, HostError } from "../../provider/remote/host-error.ts";
import { filterHttpdMessages } from "../../provider/apache/httpd-messages.ts";
import { readObservation } from "../../provider/apache/observation-reader.ts";
import { answeringHost, hostile, isHarmless, target, transaction } from "./hostile-words.ts";

describe("the gate for words of others", function () {
  this.timeout(20_000);

  it("lets no character pass that is a control, invisible, or turns the direction of writing", () => {
    const all = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code));
    const passed = all.filter((character) => shown(character) === character).join("");
    assert.ok(isHarmless(passed));
    assert.doesNotMatch(passed, /[\u00ad\u115f\u3164\ufe0f\u{e0041}\ud800-\udfff]/u);
    assert.equal(shown("日本語 Zürich 🔑 e\u0301 …"), "日本語 Zürich 🔑 e\u0301 …");
  });

  it("keeps what it lets pass, says the rest as JSON does, and cuts what is too long", () => {
    assert.equal(
      shown("a\u001b]0;x\u0007\u202eb\u{e0041}\r\n"),
      String.raw`a\u001b]0;x\u0007\u202eb\udb40\udc41\u000d\u000a`,
    );
    assert.equal(shownLines("a\n\tb\r\n\u2028"), "a\n\tb\\u000d\n\\u2028");
    assert.equal(shown("x".repeat(10_000), 5), "xxxxx…");
    assert.deepEqual(shownDeep({ "\u009b": ["\u001b", { n: 1, none: null }] }), {
      "\\u009b": ["\\u001b", { n: 1, none: null }],
    });
    fc.assert(fc.property(fc.json(), (json) => void assert.deepEqual(JSON.parse(shownLines(json)), JSON.parse(json))));
  });

  it("makes one line of many, at once, also of a host's hundred megabytes", () => {
    assert.equal(asOneLine("  a  \r\n\n  b\u0085c\n"), String.raw`a | b\u0085c`);
    const start = performance.now();
    assert.ok(asOneLine(`a${" ".repeat(50_000_000)}b`).length < 400);
    assert.ok(performance.now() - start < 1000);
  });

  it("is behind all that the command line prints, and only its own colours pass", () => {
    const coloured = styleFor({ isTTY: true }, {});
    const output = coloured.printable(`${coloured.red("conflict")} ${hostile}\n`);
    assert.ok(output.startsWith("\u001b[31mconflict\u001b[39m "));
    assert.ok(isHarmless(output.replaceAll(/\u001b\[3[19]m|\n/g, "")));
    assert.ok(isHarmless(styleFor({}, {}).printable(coloured.red(hostile)).replaceAll("\n", "")));
  });
});

describe("an answer of a host that lies", function () {
  this.timeout(20_000);

  for (const kind of ["refused", "locked"]) {
    it(`brings an error (${kind}) of one bounded, harmless text`, async () => {
      const host = answeringHost([`error ${kind} ${hostile}${"x".repeat(1_000_000)}`, `reason ${hostile}`, "done"]);
      const error = await host.apply(target, transaction).catch((reason: unknown) => reason);
      assert.ok(error instanceof HostError);
      assert.ok(isHarmless(error.message.replaceAll("\n", "")));
      assert.ok(error.message.length < 15_000, `${error.message.length}`);
    });
  }

  it("brings reasons and steps that are harmless, few and short", async () => {
    const steps: string[] = [];
    const many = Array.from({ length: 20_000 }, () => [`step ${hostile}`, `reason ${hostile}${"x".repeat(3000)}`]);
    const host = answeringHost([
      ...many.flat(),
      `words\nAH02572: Failed ${hostile}`,
      "result refused shadow 3",
      "done",
    ]);
    const { result, reasons } = await host.judge(target, transaction, { onProgress: (step) => steps.push(step) });
    assert.equal(result, "refused");
    assert.ok(reasons.length <= 101 && steps.length <= 1000, `${reasons.length} reasons, ${steps.length} steps`);
    assert.ok(isHarmless([...reasons, ...steps].join("")));
    assert.ok(Math.max(...reasons.map(({ length }) => length)) < 15_000);
  });

  it("brings words of httpd without what a terminal obeys", () => {
    const [words = ""] = filterHttpdMessages(`AH02572: Failed ${hostile}`);
    assert.ok(words.startsWith("httpd: AH02572: Failed") && isHarmless(words));
  });

  it("is no answer where its result is none of ours", async () => {
    for (const result of [`evil\u001b[2J shadow 1`, "applied evil 1", "applied shadow 1e9"]) {
      const host = answeringHost([`result ${result}`, "done"]);
      await assert.rejects(host.apply(target, transaction), /the run ended with a result that is unknown; run again$/);
    }
  });

  it("brings versions that are harmless and short", () => {
    const body = `version ${hostile}${"x".repeat(60_000_000)}\nopenssl ${hostile}\nserver-root /etc\nconfig /etc/h\n`;
    const part = (kind: string, text = ""): { kind: string; argument: string; body: string } => ({
      kind,
      argument: kind === "php" ? `module 1 ${hostile}\t/php` : "",
      body: text,
    });
    const seen = readObservation([part("server", body), part("dump"), part("php"), part("done")]);
    assert.ok(seen !== undefined);
    const versions = [seen.server.version, seen.server.openssl, seen.php[0]?.version ?? ""];
    assert.ok(isHarmless(versions.join("")) && versions.every(({ length }) => length > 0 && length < 1300));
  });
});
