/** A CA that gives out several CRLs, each for the certificates that name its address. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import type { Identity } from "../../lab/pki.ts";
import {
  sourceOf,
  sourced,
  startRefreshSession,
  stateDirectory,
  type RefreshSession,
} from "../host/refresh-session.ts";
import type { Wish } from "../host/session.ts";

const crlFile = "/usr/local/ni/apache/conf/clientcert/crl.pem";

for (const shell of [undefined, "busybox"] as const)
  describe(`several CRLs of one CA, under ${shell ?? "dash"}`, function () {
    this.timeout(60_000);
    let session: RefreshSession;
    let users: readonly [Identity, Identity];
    let wish: Wish;
    let number = 10;
    const address = (part: 1 | 2): string => session.publisher.url(`part${part}.crl`);
    const outcomes = async (...certificates: readonly Identity[]): Promise<string> =>
      (await Promise.all(certificates.map((certificate) => request(session.lab, { certificate }))))
        .map(({ outcome }) => outcome)
        .join();
    const publish = async (part: 1 | 2, serials: readonly string[] = []): Promise<void> =>
      session.publisher.publish(
        `part${part}.crl`,
        await session.pki.crl({ number: number++, serials, point: address(part) }),
      );
    const count = async (): Promise<number> => Number(await session.lab.run(`grep -c BEGIN ${crlFile}`));

    before(async () => {
      session = await startRefreshSession(shell === undefined ? {} : { shell });
      users = [await session.pki.userNaming(address(1)), await session.pki.userNaming(address(2))];
      wish = sourced(session.publisher, { crlSources: [sourceOf([address(1)]), sourceOf([address(2)])] });
      await publish(1);
      await publish(2);
    });
    after(() => session.stop());

    it("are all installed, and each revokes its own", async () => {
      const outcome = await session.apply(wish);
      assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
      assert.equal(await count(), 2);
      assert.equal(await outcomes(...users), "200,200");
      await publish(2, [users[1].serial]);
      assert.equal((await session.timer()).exitCode, 0);
      assert.equal(await outcomes(...users), "200,refused");
      assert.equal(await count(), 2);
      assert.equal((await session.plan(wish)).change, undefined);
    });

    it("that an earlier build wrote down as one are read anew, and nothing is lost or alarmed", async () => {
      await session.lab.run(
        `cd ${stateDirectory} && sed -i -e '1s/ points//' -e 's/--p[0-9a-f]* / /' crl.list && sed -i 2d crl.list`,
      );
      assert.deepEqual(await session.refresh(), { exitCode: 0, output: "updated: httpd runs with the new CRL\n" });
      assert.equal(await count(), 2);
      assert.deepEqual(await session.refresh(), { exitCode: 0, output: "unchanged: the CRLs are up to date\n" });
    });

    it("take the place of the one for all only for those that name an address, and that is said", async () => {
      const one = sourced(session.publisher, { crlSources: [sourceOf([address(1)])] });
      session.publisher.publish(
        "part1.crl",
        await session.pki.crl({ number: number++, nextUpdateHours: 1, serials: [] }),
      );
      const all = await startOver(one);
      assert.equal(all, "200,200");
      await publish(1);
      const { exitCode, output } = await session.refresh();
      assert.match(
        output,
        /the CA .*Lab Issuing CA has begun to part its CRL by address; .* serves until it ends \(.*sampleCertificate/,
      );
      // The one for all ends soon, which is an alarm whatever is beside it.
      assert.equal(exitCode, 2);
      assert.equal(await count(), 2);
      assert.equal(await outcomes(users[0], session.pki.clients.good), "200,200");
    });

    it("of an address that the CA gives out no more are gone when they have expired, and nothing is alarmed then", async () => {
      const { pki, publisher } = session;
      const point = publisher.url("before.crl");
      publisher.publish(
        "part1.crl",
        await pki.crl({ number: number++, nextUpdateHours: 25 / 3600, serials: [], point }),
      );
      const ends = Date.now() + 26_000;
      await startOver(sourced(publisher, { crlSources: [sourceOf([address(1)])] }));
      await publish(1);
      assert.equal((await session.refresh()).exitCode, 2);
      assert.equal(await count(), 2);
      await new Promise((resolve) => setTimeout(resolve, ends - Date.now()));
      await publish(1);
      assert.deepEqual(await session.refresh(), { exitCode: 0, output: "updated: httpd runs with the new CRL\n" });
      assert.equal(await count(), 1);
      assert.equal(await outcomes(users[0]), "200");
    });

    async function startOver(fresh: Wish): Promise<string> {
      assert.equal((await session.remove()).result, "applied");
      assert.equal((await session.apply(fresh)).result, "applied");
      return outcomes(users[0], session.pki.clients.good);
    }
  });
