/**
 * A CRL that is too large for the host's memory: each virtual host loads a copy, and the kernel might end the live
 * server.
 */
import assert from "node:assert/strict";
import { makeLargeCrl } from "../../lab/large-crl.ts";
import { clientsOf, wantedTable } from "./clients.ts";
import { listName, sourced, startRefreshSession, type RefreshSession } from "./refresh-session.ts";

/** 9 MiB of PEM, so some 110 MiB for two virtual hosts. */
const entries = 200_000;

describe("a host without the memory for a large CRL", function () {
  this.timeout(120_000);
  let session: RefreshSession;

  before(async () => {
    session = await startRefreshSession({ virtualHosts: 2 });
    assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
    session.publisher.publish(listName, await makeLargeCrl(session.pki, entries, { number: 7 }));
  });
  after(() => session.stop());

  it("is refused it with the numbers, before anything is started", async () => {
    await session.lab.run(
      "sed 's/^MemAvailable:.*/MemAvailable:      100000 kB/' /proc/meminfo >/run/meminfo && mount --bind /run/meminfo /proc/meminfo",
    );
    const { exitCode, output } = await session.refresh("--verbose");
    await session.lab.run("umount /proc/meminfo");
    assert.equal(exitCode, 1);
    assert.match(
      output,
      /about 1[01]\d MiB for the CRLs of 2 virtual hosts \(\d MiB each\), and this host has 97 MiB available/,
    );
    assert.doesNotMatch(output, /shadow start/);
    assert.deepEqual(await clientsOf(session.lab), wantedTable);
  });

  it("gets it where there is memory", async () => {
    assert.equal((await session.refresh()).exitCode, 0);
    assert.deepEqual(await clientsOf(session.lab), wantedTable);
    assert.equal((await session.look()).own.crls[0]?.number, "7");
  });
});
