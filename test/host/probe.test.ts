/**
 * Whether holders of certificates get in at all is asked of the real httpd by probe certificates, and a change that
 * locks them out does not go live.
 */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { bytesOf } from "../faults/bytes.ts";
import { type Session, startSession, type Wish } from "./session.ts";
import { replaceOnce } from "../faults/program.ts";

const ca = "CN=Lab Issuing CA,O=Lab Trust Services,C=JP";

/** As an earlier build had it: nobody is asked. */
const unasked = (text: string): string =>
  ["judge_probes() {\n", "locks_nobody_out() {\n"].reduce(
    (program, opening) => replaceOnce(program, opening, `${opening}  return 0\n`),
    text,
  );

/** The program, altered by `alter` from the next run on. */
let alter = (text: string): string => text;
const start = (options: LabHostOptions = {}): Promise<Session> => startSession(options, {}, () => alter(hostScript()));

describe("CA and CRL are asked of the real httpd", function () {
  this.timeout(90_000);
  let session: Session;
  let clean: string;
  const good = async (): Promise<string> => (await request(session.lab, { certificate: "good" })).outcome;
  /** Its authority key identifier names another certificate of the CA. */
  const astray = async (number = 5): Promise<Wish> => ({
    crlPem: await session.lab.pki.crl({ number, namesSerial: 1 }),
  });

  beforeEach(() => {
    alter = (text) => text;
  });

  describe("by the shadow", () => {
    before(async () => {
      session = await start({ virtualHosts: 2 });
      clean = await bytesOf(session);
    });
    after(() => session.stop());

    for (const [what, options, words] of [
      [
        "names another certificate of its CA",
        { namesSerial: 1 },
        /no CRL of it counts.*\(alert unknown CA, OpenSSL error 3\)/,
      ],
      [
        "is for CA certificates only",
        { kind: "authorities" },
        /not for these certificates.*\(alert certificate unknown, OpenSSL error 44\)/,
      ],
      [
        "begins in two minutes",
        { thisUpdateHours: 1 / 30 },
        /not valid yet.*\(alert bad certificate, OpenSSL error 11\)/,
      ],
      [
        "has a critical extension that OpenSSL does not take",
        { kind: "critical" },
        /critical extension.*\(alert certificate unknown, OpenSSL error 36\)/,
      ],
    ] as const)
      it(`a CRL that ${what} is refused, and the host is as before`, async () => {
        const outcome = await session.apply({ crlPem: await session.lab.pki.crl({ number: 5, ...options }) });
        assert.equal(outcome.result, "refused");
        assert.equal(outcome.reasons.length, 1, outcome.reasons.join("\n"));
        assert.match(
          outcome.reasons[0] ?? "",
          new RegExp(`^httpd would refuse every certificate of the CA ${ca}: .*${words.source}$`),
        );
        assert.equal(await bytesOf(session), clean);
        assert.equal(await good(), "200");
      });

    it("the log decides where no alert arrives", async () => {
      alter = (text) => text.replace('[ -z "$ask_alert" ] || break', "ask_alert=''");
      assert.deepEqual((await session.judge()).reasons, []);
      const outcome = await session.judge(await astray());
      assert.match(outcome.reasons.join(), /no CRL of it counts.*\(no alert, OpenSSL error 3\)/);
      alter = (text) =>
        text
          .replace('[ -z "$ask_alert" ] || break', "ask_alert=''")
          .replaceAll("Certificate Verification:", "Nothing of the kind");
      const silent = await session.judge(await astray());
      assert.equal(silent.result, "well");
      assert.match(
        silent.reasons.join(),
        new RegExp(`^it could not be told whether holders of certificates of the CA ${ca} get in`),
      );
    });

    it("what only the live server shows is put back", async () => {
      alter = (text) => replaceOnce(text, "judge_probes() {\n", "judge_probes() {\n  return 0\n");
      const outcome = await session.apply(await astray());
      assert.equal(outcome.result, "rolledBack", outcome.reasons.join("\n"));
      assert.match(
        outcome.reasons.join(),
        new RegExp(`after the reload httpd refuses every certificate of the CA ${ca}: no CRL of it counts.*error 3`),
      );
      assert.equal(await bytesOf(session), clean);
      assert.equal(await good(), "200");
    });

    it("what is right goes live without a word", async () => {
      const outcome = await session.apply();
      assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["applied", "shadow", []]);
      assert.equal(await good(), "200");
    });

    it("holders who are refused already hold up no change that is not to blame, and it says so", async () => {
      alter = unasked;
      assert.equal((await session.apply(await astray())).result, "applied");
      assert.equal(await good(), "refused");
      alter = (text) => text;
      const outcome = await session.apply({ ...(await astray()), organizations: ["ABC CORPORATION", "OTHER"] });
      assert.equal(outcome.result, "applied", outcome.reasons.join("\n"));
      assert.match(
        outcome.reasons.join("\n"),
        new RegExp(`^httpd refuses every certificate of the CA ${ca} already: no CRL of it counts[^\n]*$`),
      );
      const mended = await session.apply({ crlPem: await session.lab.pki.crl({ number: 6 }) });
      assert.deepEqual([mended.result, mended.reasons], ["applied", []]);
      assert.equal(await good(), "200");
    });

    it("a removal asks for none", async () => {
      assert.equal((await session.remove()).result, "applied");
      assert.equal(await bytesOf(session), clean);
    });
  });

  it("by openssl where there is no shadow", async () => {
    session = await start({ without: ["unshare"] });
    try {
      const outcome = await session.judge(await astray());
      assert.deepEqual([outcome.result, outcome.judge], ["refused", "minimal"]);
      assert.match(outcome.reasons.join("\n"), /no CRL of it counts.*\(by openssl verify, OpenSSL error 3\)/);
      const applied = await session.apply();
      assert.deepEqual([applied.result, applied.judge], ["applied", "minimal"], applied.reasons.join("\n"));
      assert.equal(await good(), "200");
    } finally {
      await session.stop();
    }
  });
});
