/** CRLs for some of the certificates of their CA, and CRLs in an armour that is not theirs. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { sourceOf, sourced, startRefreshSession, type RefreshSession } from "../host/refresh-session.ts";
import type { Wish } from "../host/session.ts";

for (const shell of [undefined, "busybox"] as const)
  describe(`a host that is given CRLs for some certificates, under ${shell ?? "dash"}`, function () {
    this.timeout(60_000);
    let session: RefreshSession;
    let number = 10;
    const good = async (): Promise<string> => (await request(session.lab, { certificate: "good" })).outcome;
    const wish = (crlCheck: "leaf" | "chain", ...names: readonly string[]): Wish =>
      sourced(session.publisher, {
        crlCheck,
        crlSources: names.map((name) => sourceOf([session.publisher.url(name)])),
      });

    before(async () => {
      session = await startRefreshSession(shell === undefined ? {} : { shell });
      for (const ca of ["root", "issuing"] as const)
        session.publisher.publish(`${ca}.crl`, await session.pki.crl({ ca, number: number++ }));
    });
    after(() => session.stop());

    it("keeps one for all of a root under chain when the root has one for users only, and says what to do", async () => {
      const chain = wish("chain", "issuing.crl", "root.crl");
      assert.deepEqual((await session.apply(chain)).reasons, []);
      assert.equal(await good(), "200");
      const whole = await session.pki.crl({ ca: "root", number: number++ });
      session.publisher.publish("root.crl", await session.pki.crl({ ca: "root", number: number++, kind: "users" }));
      const { exitCode, output } = await session.refresh();
      assert.equal(exitCode, 1, output);
      assert.match(
        output,
        /the installed CRL stays .*for certificates of users only.*give the CRL for CAs as one more/,
      );
      assert.equal(await good(), "200");
      session.publisher.publish("root.crl", whole);
      assert.equal((await session.refresh()).exitCode, 0);
    });

    it("takes one for CAs only of a root, and the one for users beside it", async () => {
      const { pki, publisher } = session;
      publisher.publish("root.crl", await pki.crl({ ca: "root", number: number++, kind: "users" }));
      publisher.publish("root-cas.crl", await pki.crl({ ca: "root", number: number++, kind: "authorities" }));
      const both = await session.apply(wish("chain", "issuing.crl", "root.crl", "root-cas.crl"));
      assert.deepEqual([both.result, both.reasons], ["applied", []]);
      assert.equal(await good(), "200");
      assert.deepEqual(await session.refresh(), { exitCode: 0, output: "unchanged: the CRLs are up to date\n" });
    });

    it("takes none for CAs only under leaf, nor one of some reasons, whatever address it names", async () => {
      const { pki, publisher } = session;
      assert.equal((await session.apply(wish("leaf", "issuing.crl"))).result, "applied");
      const point = publisher.url("issuing.crl");
      publisher.publish("issuing.crl", await pki.crl({ number: number++, kind: "authorities", point }));
      const authorities = await session.refresh();
      assert.match(authorities.output, /it lists CA certificates only/);
      publisher.publish("issuing.crl", await pki.crl({ number: number++, kind: "indirect", point }));
      const indirect = await session.refresh();
      assert.match(indirect.output, /it is an indirect CRL/);
      assert.deepEqual([authorities.exitCode, indirect.exitCode, await good()], [1, 1, "200"]);
    });

    it("takes a CRL in the armour of a certificate, and no certificate for a CRL", async () => {
      const { pki, publisher } = session;
      publisher.publish("issuing.crl", await pki.crl({ number: number++ }));
      publisher.fault("issuing.crl", "certificateArmour");
      assert.deepEqual(await session.refresh(), { exitCode: 0, output: "updated: httpd runs with the new CRL\n" });
      assert.deepEqual(await session.refresh(), { exitCode: 0, output: "unchanged: the CRLs are up to date\n" });
      publisher.publish("issuing.crl", Buffer.from(pki.issuing.replace(/-----[^-]+-----|\s/g, ""), "base64"));
      const { exitCode, output } = await session.refresh();
      publisher.fault("issuing.crl", "ok");
      assert.equal(exitCode, 1);
      assert.match(output, /it is a certificate, not a CRL; give the address of the CRL/);
      assert.equal(await good(), "200");
    });
  });
