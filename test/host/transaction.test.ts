import assert from "node:assert/strict";
import { request, startTraffic } from "../../lab/client.ts";
import { clientsOf, wantedPhpTable, wantedTable } from "./clients.ts";
import { hasRealPhp } from "./php.ts";
import { startSession, type Session } from "./session.ts";
import { assertUnchanged, liveState, unchanged, type LiveState } from "./unchanged.ts";

/** Runs `use` on a host of its own, and stops it. */
async function onHost(
  options: Parameters<typeof startSession>[0],
  use: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await startSession(options);
  try {
    await use(session);
  } finally {
    await session.stop();
  }
}

describe("a change of a host in the product's layout", function () {
  this.timeout(60_000);
  let session: Session;
  let hasPhp: boolean;
  let success: string;
  let state: LiveState;

  before(async () => {
    const phpStandIn = { version: "8.3.12", as: "module" } as const;
    hasPhp = await hasRealPhp("8.4");
    session = await startSession({ virtualHosts: 2, ...(hasPhp ? { php: { version: "8.4" } } : { phpStandIn }) });
    success = hasPhp ? "200 SUCCESS shown" : "200 SUCCESS";
    state = await liveState(session, { times: false });
  });
  after(() => session.stop());

  it("is judged by the shadow, which leaves everything as it was", async () => {
    const outcome = await unchanged(session, () => session.judge());
    assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["well", "shadow", []]);
  });

  it("goes live as a whole while clients are being served", async () => {
    const traffic = startTraffic(session.lab);
    const outcome = await session.apply();
    const { requests, failures } = await traffic.stop();
    assert.deepEqual(
      [outcome.result, outcome.judge, outcome.reasons, outcome.generation],
      ["applied", "shadow", [], 1],
    );
    assert.ok(requests > 0);
    assert.deepEqual(failures, []);
  });

  it("gives each client what the manual wants, in every virtual host", async () => {
    for (const servername of ["a.lab.test", "b.lab.test", null])
      assert.deepEqual(
        await clientsOf(session.lab, servername),
        hasPhp ? wantedPhpTable : wantedTable,
        String(servername),
      );
  });

  it("takes uploads of 40 MB, with and without a certificate", async () => {
    for (const certificate of [undefined, "good"] as const) {
      const upload = await request(session.lab, {
        path: session.lab.page,
        bodyBytes: 40_000_000,
        ...(certificate === undefined ? {} : { certificate }),
      });
      assert.match(upload.body, /\bbody=40000000$/m);
    }
  });

  it("keeps to TLS 1.2 where PHP is 8.3 or later (8.4, or a stand-in where it cannot be had)", async () => {
    assert.equal((await request(session.lab, { tlsVersion: "TLSv1.3" })).outcome, "refused");
    assert.equal((await request(session.lab, { tlsVersion: "TLSv1.2" })).outcome, "200");
  });

  it("leaves nothing to do for a second run", async () => {
    assert.equal((await session.plan()).change, undefined);
  });

  it("writes a journal that only root reads", async () => {
    const facts = await session.look();
    assert.deepEqual(
      [facts.own.generation, facts.own.owner, facts.own.owed],
      [1, "organization/project/lab/web1", undefined],
    );
    assert.equal(
      await session.lab.run("stat -c '%a %U' /var/lib/clientcert /var/lib/clientcert/*"),
      "700 root\n700 root\n",
    );
  });

  it("can be followed by another list of organizations", async () => {
    const outcome = await session.apply({ organizations: ["OTHER CORPORATION"] });
    assert.deepEqual([outcome.result, outcome.generation], ["applied", 2]);
    const clients = await clientsOf(session.lab);
    assert.deepEqual([clients.good, clients.wrongOrganization], ["403", success]);
  });

  it("can be followed by another CA, whose predecessor's file goes", async () => {
    const { pki } = session.lab;
    const crlPem = (await pki.crl({ number: 2 })) + (await pki.crl({ ca: "foreign" }));
    const earlier = await ownFiles(session);
    assert.equal((await session.apply({ caPem: pki.caBundle + pki.foreign, crlPem })).result, "applied");
    const clients = await clientsOf(session.lab);
    assert.deepEqual([clients.good, clients.foreign, clients.revoked], [success, success, "refused"]);
    const files = await ownFiles(session);
    assert.equal(files.length, earlier.length);
    assert.equal(files.filter((name) => earlier.includes(name)).length, earlier.length - 1);
  });

  it("can be followed by a rule about the CA that issued a certificate", async () => {
    const { pki } = session.lab;
    const crlPem = (await pki.crl({ number: 2 })) + (await pki.crl({ ca: "foreign" }));
    const wishes = { caPem: pki.caBundle + pki.foreign, crlPem, issuers: ["Foreign CA"], verifyDepth: 2 };
    assert.equal((await session.apply(wishes)).result, "applied");
    const clients = await clientsOf(session.lab);
    assert.deepEqual(
      [clients.good, clients.foreign, clients.none],
      ["403", success, hasPhp ? "200 NONE hidden" : "200 NONE"],
    );
  });

  it("keeps the bytes of before of the last three changes", async () => {
    assert.equal((await session.apply({ countries: ["JP", "US"] })).generation, 5);
    assert.equal(await session.lab.run("ls /var/lib/clientcert/*/generations"), "3\n4\n5\n");
  });

  it("is taken back to the bytes, modes and owners of before", async () => {
    const outcome = await session.remove();
    assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
    await assertUnchanged(session, state, { times: false });
  });
});

async function ownFiles(session: Session): Promise<readonly string[]> {
  return Object.keys((await session.look()).own.files);
}

describe("a change of a host that was set up by hand as the manual says", function () {
  this.timeout(60_000);

  it("is a conflict, then adopts what is there, and gives it back to the byte", () =>
    onHost({ manual: "cron.d" }, async (session) => {
      const before = await liveState(session, { times: false });
      const conflicts = (await session.plan()).diagnostics.filter(({ severity }) => severity === "conflict");
      assert.notEqual(conflicts.length, 0);
      for (const { place } of conflicts) assert.match(place, /^\/(usr\/local\/ni\/apache\/conf|etc\/cron\.d)\/.*:\d+$/);
      const outcome = await session.apply({ adopt: true });
      assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
      assert.deepEqual(await clientsOf(session.lab), wantedTable);
      assert.equal((await session.plan({ adopt: true })).change, undefined);
      assert.equal((await session.remove()).result, "applied");
      await assertUnchanged(session, before, { times: false });
    }));
});

describe("a change in the layouts of distributions", function () {
  this.timeout(60_000);

  for (const layout of ["debian", "redhat"] as const) {
    it(`works and goes again without a trace: ${layout}`, () =>
      onHost({ layout, virtualHosts: 2 }, async (session) => {
        const before = await liveState(session, { times: false });
        const outcome = await session.apply();
        assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["applied", "shadow", []]);
        assert.deepEqual(await clientsOf(session.lab), wantedTable);
        assert.equal((await session.plan()).change, undefined);
        assert.equal((await session.remove()).result, "applied");
        await assertUnchanged(session, before, { times: false });
      }));
  }
});
