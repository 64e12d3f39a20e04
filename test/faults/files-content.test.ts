/** Files that httpd cannot start on, handed straight to the host: there the judge is the last who can say no. */
import assert from "node:assert/strict";
import { crlToDer } from "../../lab/pki-crl.ts";
import type { Outcome, Transaction } from "../../provider/apache/host-model.ts";
import { startSession, type Session } from "../host/session.ts";
import { assertUnchanged, liveState, unchanged, type LiveState } from "../host/unchanged.ts";

const pemToDer = crlToDer; // it only takes the armour off

/** `good` is the PEM text as it should be. */
const spoilt: readonly (readonly [name: string, spoil: (good: string) => Buffer])[] = [
  ["garbage", () => Buffer.from("<html><body>404 Not Found</body></html>\n")],
  ["empty", () => Buffer.alloc(0)],
  ["truncated", (good) => Buffer.from(good.slice(0, 300))],
  ["DER", (good) => pemToDer(good.slice(0, good.indexOf("-----END")))],
];

/** The transaction with other bytes for its file of `role`. */
function withBytes(transaction: Transaction, role: "ca" | "crl", spoil: (good: string) => Buffer): Transaction {
  const name = transaction.change.write.find((file) => file.role === role)?.name ?? "";
  const good = transaction.contents.get(name)?.toString() ?? "";
  return { ...transaction, contents: new Map([...transaction.contents, [name, spoil(good)]]) };
}

function assertRefused({ result, judge, reasons }: Outcome): void {
  assert.deepEqual([result, judge], ["refused", "shadow"]);
  assert.notEqual(reasons.length, 0);
  for (const reason of reasons)
    assert.match(
      reason,
      /^httpd(: (AH\d{5}|SSL Library Error|SSLCA|Syntax error on line|no TLS handshake)| does not start on the candidate)/,
    );
}

for (const layout of ["a fresh host", "a host that has client authentication"] as const) {
  describe(`an unusable file for ${layout}`, function () {
    this.timeout(60_000);
    let session: Session;
    let state: LiveState;

    before(async () => {
      session = await startSession();
      if (layout !== "a fresh host") await session.apply({ organizations: ["EARLIER CORPORATION"] });
      state = await liveState(session);
    });
    after(() => session.stop());

    for (const role of ["crl", "ca"] as const) {
      for (const [name, spoil] of layout === "a fresh host" ? spoilt : spoilt.slice(2)) {
        it(`is refused: ${role} that is ${name}`, async () => {
          const wish = layout === "a fresh host" ? {} : await anotherPki(session);
          const spoiltChange = withBytes(await session.prepare(wish), role, spoil);
          assertRefused(await session.host.apply(session.target, spoiltChange));
        });
      }
    }

    it("leaves everything as it was", () => assertUnchanged(session, state));

    it("is refused when it is only judged, too", async () => {
      const wish = layout === "a fresh host" ? {} : await anotherPki(session);
      const [, spoil] = spoilt[0] ?? assert.fail();
      const transaction = withBytes(await session.prepare(wish), "crl", spoil);
      assertRefused(await unchanged(session, () => session.host.judge(session.target, transaction)));
    });
  });
}

/** A wish that needs a new CA file and a newer CRL. */
async function anotherPki({ lab: { pki } }: Session): Promise<{ caPem: string; crlPem: string }> {
  return { caPem: pki.caBundle + pki.foreign, crlPem: await pki.crl({ number: 2, thisUpdateHours: -0.5 }) };
}
