/**
 * TLS virtual hosts that are not covered answer as before, whatever a change does: asked in the shadow, and of the live
 * server.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { unchanged } from "../host/unchanged.ts";
import { bytesOf } from "../faults/bytes.ts";
import { faultyProgram } from "../faults/program.ts";
import {
  adopted,
  answers,
  apply,
  certificatesSent,
  closing,
  completing,
  onTwoPorts,
  putBack,
  removal,
  takenOut,
  withBaseline,
} from "./two-ports.ts";

const opened = (where: string, end: string): RegExp =>
  new RegExp(
    `^${where}: b\\.lab\\.test \\(127\\.0\\.0\\.1 port \\d+\\), which this change must not touch, let nobody in without a certificate before the change and answered 200 after it; ${end}$`,
    "m",
  );
const shortened = (where: string): RegExp =>
  new RegExp(
    `^${where}: b\\.lab\\.test .* must not touch, sent 2 of its certificates before the change and 1 after it; `,
    "m",
  );

describe("a change that would be noticed on another TLS port", function () {
  this.timeout(90_000);

  it("is refused by the judge when it would open that port, and nothing is touched", () =>
    onTwoPorts([completing, closing], async (host) => {
      assert.deepEqual(await answers(host), ["refused", "refused"]);
      const opening = withBaseline(await takenOut(host, closing));
      const outcome = await unchanged(host.session, () => apply(host, opening));
      assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"]);
      assert.match(outcome.reasons.join("\n"), opened("tried on a copy", "nothing was changed"));
      assert.deepEqual(await answers(host), ["refused", "refused"]);
    }));

  it("is refused by the judge of busybox, asked by openssl and by curl, when it would open that port under 30 names", () =>
    onTwoPorts(
      [completing, closing],
      async (host) => {
        const { session, planned, other } = host;
        const { change } = withBaseline(await takenOut(host, closing));
        const others = Array.from({ length: 30 }, (_, index) => ({ ...other, serverName: `n${index}.lab.test` }));
        const opening = { ...planned, change: { ...change, others } };
        const outcome = await unchanged(session, () => apply(host, opening));
        assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"]);
        const reasons = outcome.reasons.join("\n");
        assert.match(reasons, /^tried on a copy: n\d+\.lab\.test .* and answered 200 after it; nothing was changed$/m);
        assert.match(reasons, /^tried on a copy: the same of 25 more$/m);
      },
      { shell: "busybox" },
    ));

  it("is refused by the judge when that port would send fewer certificates", () =>
    onTwoPorts([completing], async (host) => {
      assert.equal(await certificatesSent(host), 2);
      const shortening = withBaseline(await takenOut(host, completing));
      const outcome = await unchanged(host.session, () => apply(host, shortening));
      assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"]);
      assert.match(outcome.reasons.join("\n"), shortened("tried on a copy"));
    }));

  it("is refused by the judge when that port would ask for certificates of other CAs", () =>
    onTwoPorts([completing, "SSLCADNRequestFile conf/server.crt", closing], async (host) => {
      const renaming = withBaseline(await takenOut(host, "SSLCADNRequestFile conf/server.crt"));
      const outcome = await unchanged(host.session, () => apply(host, renaming));
      assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"]);
      assert.match(
        outcome.reasons.join("\n"),
        /b\.lab\.test .* named some CAs in its handshake before .* others after/,
      );
    }));

  it("is put back after the look where no shadow can be made", () =>
    onTwoPorts(
      [completing, closing],
      async (host) => {
        const before = await bytesOf(host.session);
        const outcome = await apply(host, withBaseline(await takenOut(host, closing)));
        assert.deepEqual([outcome.result, outcome.judge], ["rolledBack", "minimal"]);
        assert.match(outcome.reasons.join("\n"), opened("after the reload", "the change is put back"));
        assert.equal(await bytesOf(host.session), before);
        assert.deepEqual(await answers(host), ["refused", "refused"]);
        const shorter = await apply(host, withBaseline(await takenOut(host, completing)));
        assert.equal(shorter.result, "rolledBack");
        assert.match(shorter.reasons.join("\n"), shortened("after the reload"));
        assert.equal(await bytesOf(host.session), before);
        assert.equal(await certificatesSent(host), 2);
      },
      { without: ["unshare"] },
    ));

  it("is put back after the look where nobody asked for a baseline, at a removal as well", () =>
    onTwoPorts([completing, closing], async (host) => {
      const outcome = await apply(host, await takenOut(host, closing));
      assert.deepEqual([outcome.result, outcome.judge], ["rolledBack", "shadow"]);
      assert.match(outcome.reasons.join("\n"), opened("after the reload", "the change is put back"));
      assert.equal((await apply(host, host.planned)).result, "applied");
      const applied = await bytesOf(host.session, "/usr/local/ni/apache/conf");
      const removing = await removal(host);
      const opening = await apply(host, await takenOut({ ...host, planned: removing }, closing));
      assert.equal(opening.result, "rolledBack");
      assert.match(opening.reasons.join("\n"), opened("after the reload", "the change is put back"));
      assert.equal(await bytesOf(host.session, "/usr/local/ni/apache/conf"), applied);
      assert.deepEqual(await answers(host), ["200", "refused"]);
    }));
});

describe("a change of which nobody knows whether another TLS port notices it", function () {
  this.timeout(90_000);

  for (const [moment, more] of Object.entries({
    before: 'list_answers_before() { : >"$work/answers.before"; }',
    after: 'ask_live() { (ask_all "$work") >"$1"; [ "${1##*.}" != after ] || sed -i "/ b.lab/d" "$1"; }',
  })) {
    it(`is put back: no answers ${moment} it`, () =>
      onTwoPorts(
        [completing, closing],
        async (host) => {
          const clean = await bytesOf(host.session);
          const outcome = await apply(host, host.planned);
          assert.equal(outcome.result, "rolledBack");
          assert.match(outcome.reasons.join("\n"), new RegExp(`b\\.lab\\.test .* could not be asked ${moment}`));
          assert.equal(await bytesOf(host.session), clean);
        },
        {},
        () => faultyProgram({ more }),
      ));
  }
});

describe("a change that is not noticed on another TLS port", function () {
  this.timeout(90_000);

  it("passes, and so do its removal and its undo", () =>
    onTwoPorts([completing, closing], async (host) => {
      const before = await bytesOf(host.session);
      const applied = await apply(host, withBaseline(host.planned));
      assert.deepEqual([applied.result, applied.judge, applied.reasons], ["applied", "shadow", []]);
      assert.deepEqual(await answers(host), ["200", "refused"]);
      const removed = await apply(host, await removal(host));
      assert.equal(removed.result, "applied", removed.reasons.join("\n"));
      assert.equal(await bytesOf(host.session), before);
      const again = { ...host.planned, id: randomUUID() };
      assert.equal((await apply(host, again)).result, "applied");
      const kept = await host.session.lab.run("cat /var/lib/clientcert/*/others");
      assert.equal(kept, `127.0.0.1 ${host.other.port} b.lab.test\n`);
      await host.session.lab.run("sh /var/lib/clientcert/*/undo");
      assert.equal(await bytesOf(host.session), before);
      assert.deepEqual(await answers(host), ["refused", "refused"]);
    }));
});

describe("a change that puts a line of the administrator's back, beside another TLS port,", function () {
  this.timeout(90_000);

  for (const options of [{}, { without: ["unshare"] }]) {
    const judge = options.without === undefined ? "the shadow" : "no shadow";
    it(`may close that port again by a line that an earlier build took out, with ${judge}`, () =>
      onTwoPorts(
        [completing, `${adopted}${closing}`],
        async (host) => {
          assert.deepEqual(await answers(host), ["200", "200"]);
          const outcome = await apply(host, withBaseline(await putBack(host, closing)));
          assert.equal(outcome.result, "applied", outcome.reasons.join("\n"));
          assert.deepEqual(await answers(host), ["200", "refused"]);
        },
        options,
      ));
  }

  it("may not shut the covered virtual host by a line that an earlier build took out", () =>
    onTwoPorts([completing, `${adopted}${closing}`], async (host) => {
      const before = await bytesOf(host.session);
      // A change whose own configuration asks nobody for a certificate, so that the line at server level counts there,
      // too.
      const contents = new Map(host.planned.contents).set("clientcert.conf", Buffer.from("# nothing\n"));
      const closingAgain = { ...withBaseline(await putBack(host, closing)), contents };
      const outcome = await apply(host, closingAgain);
      assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"], outcome.reasons.join("\n"));
      assert.match(outcome.reasons.join("\n"), /^nobody gets in without a certificate any more with a\.lab\.test/m);
      assert.doesNotMatch(outcome.reasons.join("\n"), /b\.lab\.test/);
      assert.equal(await bytesOf(host.session), before);
    }));

  it("may not open that port by a line that an earlier build took out", () =>
    onTwoPorts([completing, closing, `${adopted}SSLVerifyClient none`], async (host) => {
      const opening = withBaseline(await putBack(host, "SSLVerifyClient none"));
      const refused = await apply(host, opening);
      assert.equal(refused.result, "refused");
      assert.match(refused.reasons.join("\n"), opened("tried on a copy", "nothing was changed"));
      assert.deepEqual(await answers(host), ["refused", "refused"]);
    }));
});

describe("a covered virtual host whose own chain was completed by an SSLCACertificateFile", function () {
  this.timeout(90_000);
  const hint = /a\.lab\.test \(.*\) sent 2 certificates before the change and 1 after it: .* of SSLCertificateFile; /;

  for (const [where, options] of Object.entries({ refused: {}, rolledBack: { without: ["unshare"] } })) {
    it(`would send its clients fewer certificates: ${where}`, () =>
      onTwoPorts(
        [completing],
        async (host) => {
          const before = await bytesOf(host.session);
          // A site's CA that did not sign the server's certificate.
          const name = "ca-00000000.pem";
          const foreign = Buffer.from(host.session.lab.pki.foreign);
          const write = host.planned.change.write.map((file) =>
            file.role === "ca"
              ? { ...file, name }
              : file.role === "conf"
                ? { ...file, text: file.text?.replace(/ca-\w+\.pem/, name) }
                : file,
          );
          const conf = write.find(({ role }) => role === "conf")?.text ?? "";
          assert.ok(conf.includes(name));
          const contents = new Map([
            ...host.planned.contents,
            [name, foreign] as const,
            ["clientcert.conf", Buffer.from(conf.replace(/^SSLCARevocation.*\n/gm, ""))] as const,
          ]);
          const change = { ...host.planned.change, write };
          const outcome = await apply(host, withBaseline({ ...host.planned, change, contents, probes: new Map() }));
          assert.equal(outcome.result, where, outcome.reasons.join("\n"));
          assert.match(outcome.reasons.join("\n"), hint);
          assert.equal(await bytesOf(host.session), before);
        },
        options,
      ));
  }
});
