/** What becomes of CRLs when CAs and sources come, move and go: on the wire. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request } from "../../lab/client.ts";
import { emptyChange } from "../../core/apache/model.ts";
import { crlToDer } from "../../lab/pki-crl.ts";
import type { ClientName } from "../../lab/pki.ts";
import {
  listName,
  sourceOf,
  sourced,
  startRefreshSession,
  stateDirectory,
  type RefreshSession,
} from "../host/refresh-session.ts";
import type { Wish } from "../host/session.ts";

const ours = "/usr/local/ni/apache/conf/clientcert";
const foreignList = "foreign.crl";
const renewedList = "renewed.crl";

describe("a host whose CAs and CRL sources change", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  let sources: Record<"issuing" | "foreign" | "renewed" | "moved", ReturnType<typeof sourceOf>>;
  const withSources = (names: readonly (keyof typeof sources)[], wish: Wish = {}): Wish =>
    sourced(session.publisher, { crlSources: names.map((name) => sources[name]), ...wish });
  const twoCas = (): string => session.pki.caBundle + session.pki.foreign;

  const outcomes = async (...names: ClientName[]): Promise<string[]> =>
    (await Promise.all(names.map((certificate) => request(session.lab, { certificate })))).map(
      ({ outcome }) => outcome,
    );
  /** Issuers of the installed lists. */
  const listed = async (): Promise<string[]> => {
    const text = await session.lab.run(
      `awk '/BEGIN/ { n++ } { print >("/run/list." n) }' ${ours}/crl.pem
      for f in /run/list.*; do openssl crl -in $f -noout -issuer; done; rm -f /run/list.*`,
    );
    return [...text.matchAll(/CN ?= ?(.*)/g)].map((match) => match[1] ?? "").sort();
  };
  const assertIdle = async (wish: Wish): Promise<void> => assert.equal((await session.plan(wish)).change, undefined);

  before(async () => {
    session = await startRefreshSession();
    const { pki, publisher } = session;
    publisher.publish(foreignList, await pki.crl({ ca: "foreign" }));
    publisher.publish(renewedList, await pki.crl({ ca: "forger" }));
    publisher.publish("moved.crl", await pki.crl());
    sources = {
      issuing: sourceOf([publisher.url(listName)]),
      foreign: sourceOf([publisher.url(foreignList)]),
      renewed: sourceOf([publisher.url(renewedList)]),
      moved: sourceOf([publisher.url("moved.crl")]),
    };
    assert.equal((await session.apply(withSources(["issuing"]))).result, "applied");
  });
  after(() => session.stop());

  it("keeps what the timer needs through a change that asks no source, as when lines of the customer's come back", async () => {
    const { virtualHosts } = await session.look();
    const look = virtualHosts.map(({ serverName }) => ({ ...session.lab, port: session.lab.ports.https, serverName }));
    const change = { ...emptyChange, look };
    assert.equal((await session.apply(withSources(["issuing"]), { change })).result, "applied");
    assert.deepEqual([(await session.refresh("--status")).exitCode, (await session.timer()).exitCode], [0, 0]);
    await assertIdle(withSources(["issuing"]));
  });

  it("refuses a second CA without a source of its list, and takes it with one", async () => {
    const without = await session.apply(withSources(["issuing"], { caPem: twoCas() }));
    assert.equal(without.result, "refused");
    assert.match(without.reasons.join("\n"), /no CRL source delivered the CRL of the CA .*Foreign CA/);
    assert.deepEqual(await outcomes("good", "revoked", "foreign"), ["200", "refused", "refused"]);
    const both = withSources(["issuing", "foreign"], { caPem: twoCas() });
    assert.equal((await session.apply(both)).result, "applied");
    assert.deepEqual(await outcomes("good", "revoked", "foreign"), ["200", "refused", "200"]);
    assert.deepEqual(await listed(), ["Foreign CA", "Lab Issuing CA"]);
    await assertIdle(both);
  });

  it("keeps the list of a retired CA until the next refresh, and takes the CA in again with the same list", async () => {
    const retired = withSources(["issuing", "foreign"]);
    assert.equal((await session.apply(retired)).result, "applied");
    assert.deepEqual(await listed(), ["Foreign CA", "Lab Issuing CA"]);
    assert.deepEqual(await outcomes("good", "foreign"), ["200", "refused"]);
    await session.timer();
    assert.deepEqual(await listed(), ["Lab Issuing CA"]);
    assert.deepEqual(await outcomes("good", "revoked"), ["200", "refused"]);
    await assertIdle(retired);
    const back = await session.apply(withSources(["issuing", "foreign"], { caPem: twoCas() }));
    assert.deepEqual([back.result, back.reasons], ["applied", []]);
    assert.deepEqual(await outcomes("good", "foreign"), ["200", "200"]);
    assert.equal((await session.apply(withSources(["issuing"]))).result, "applied");
    assert.equal((await session.timer()).exitCode, 0);
  });

  it("moves a source to another address, and forgets the old one", async () => {
    const moved = withSources(["moved"]);
    assert.equal((await session.apply(moved)).result, "applied");
    assert.equal((await session.timer()).exitCode, 0);
    const record = await session.lab.run(`cat ${stateDirectory}/refresh.record`);
    assert.ok(record.includes(sources.moved.id) && !record.includes(sources.issuing.id), record);
    assert.deepEqual(await outcomes("good", "revoked"), ["200", "refused"]);
    assert.equal((await session.apply(withSources(["issuing"]))).result, "applied");
  });

  it("asks for the list of each key of a CA that has two, and drops the old key's with it", async () => {
    await session.publishNew();
    const { pki } = session;
    const renewed = pki.issuing + pki.root + pki.renewed;
    const without = await session.apply(withSources(["issuing"], { caPem: renewed }));
    assert.equal(without.result, "refused");
    assert.equal((await session.apply(withSources(["issuing", "renewed"], { caPem: renewed }))).result, "applied");
    assert.equal((await session.timer()).exitCode, 0);
    assert.deepEqual(await listed(), ["Lab Issuing CA", "Lab Issuing CA"]);
    assert.deepEqual(await outcomes("good", "revoked"), ["200", "refused"]);
    const old = withSources(["issuing"]);
    assert.equal((await session.apply(old)).result, "applied");
    await session.timer();
    assert.deepEqual(await listed(), ["Lab Issuing CA"]);
    assert.deepEqual(await outcomes("good", "revoked"), ["200", "refused"]);
    await assertIdle(old);
  });

  it("goes over to lists of the site file, leaving no job, and back", async () => {
    const fixed: Wish = { crlPem: await session.pki.crl() };
    assert.equal((await session.apply(fixed)).result, "applied");
    assert.deepEqual(await outcomes("good", "revoked"), ["200", "refused"]);
    const left = await session.lab.run(
      `ls ${stateDirectory} /etc/cron.d ${ours} | grep -e refresh -e crl.list -e clientcert- || :`,
    );
    assert.equal(left, "");
    // A timer that began before has nothing to do, and brings nothing back.
    assert.notEqual((await session.timer()).exitCode, 0);
    await assertIdle(fixed);
    assert.equal((await session.apply(withSources(["issuing"]))).result, "applied");
    assert.deepEqual(await outcomes("good", "revoked"), ["200", "refused"]);
  });

  it("takes a CRL that revokes the sample certificate, and says wherever it is asked that the sample shows nothing any more", async () => {
    const { pki } = session;
    const sample = withSources(["issuing"], { samplePem: pki.clients.noOrganization.certificate });
    assert.deepEqual((await session.apply(sample)).reasons, []);
    assert.doesNotMatch((await session.refresh("--status")).output, /sample/);
    await session.publishNew(pki.clients.noOrganization.serial);
    const taken = await session.refresh();
    const why = /is revoked, so it no longer shows .*; give the certificate of another user as sampleCertificate/;
    assert.equal(taken.exitCode, 0);
    assert.match(taken.output, why);
    assert.deepEqual(await outcomes("good", "noOrganization"), ["200", "refused"]);
    assert.match((await session.refresh("--status")).output, why);
    const said = async (): Promise<string> =>
      (await session.plan(sample)).diagnostics
        .filter(({ place }) => place === "sampleCertificate")
        .map(({ text }) => text)
        .join();
    assert.match(await said(), why);
    // What the host knows of it stays until a sample is accepted.
    assert.equal((await session.refresh()).exitCode, 0);
    assert.match(await said(), why);
    const another = withSources(["issuing"], { samplePem: pki.clients.good.certificate });
    assert.deepEqual((await session.apply(another)).reasons, []);
    assert.doesNotMatch((await session.refresh("--status")).output, /sample/);
  });

  it("says of a sample certificate that is refused already what is wrong with it", async () => {
    const { pki } = session;
    const sample = withSources(["issuing"], { samplePem: pki.clients.expired.certificate });
    const useless = await session.apply(sample);
    assert.equal(useless.result, "applied");
    const words = /openssl verify gives error 10, certificate has expired/;
    assert.match(
      useless.reasons.join(),
      /the sample certificate of the site is refused already, so it no longer shows .*/,
    );
    assert.match(useless.reasons.join(), words);
    assert.match((await session.refresh("--status")).output, words);
    assert.equal((await session.apply(withSources(["issuing"]))).result, "applied");
    assert.doesNotMatch((await session.refresh("--status")).output, /sample/);
  });

  it("takes a CRL whose number went back only where the site file accepts this one, and goes on from there", async () => {
    const { pki, publisher } = session;
    const started = withSources(["issuing"]);
    const anew = await pki.crl({
      number: 0,
      serials: [pki.clients.lowercaseOrganization.serial],
    });
    publisher.publish(listName, anew);
    const { exitCode, output } = await session.refresh();
    assert.equal(exitCode, 1);
    const hash = createHash("sha256").update(crlToDer(anew)).digest("hex");
    assert.match(
      output,
      new RegExp(
        `its number is below that of the installed one; .* write under clientAuth acceptOlderCrls: \\[${hash}\\]`,
      ),
    );
    const accepting = { ...started, acceptOlderCrls: [hash] };
    assert.equal((await session.apply(accepting)).result, "applied");
    assert.deepEqual(await outcomes("good", "lowercaseOrganization"), ["200", "refused"]);
    await assertIdle(accepting);
    assert.deepEqual(await session.refresh(), { exitCode: 0, output: "unchanged: the CRLs are up to date\n" });
    // The next one has a higher number than that, and a replayed one of before is old again.
    publisher.publish(listName, await pki.crl({ number: 1 }));
    assert.equal((await session.refresh()).exitCode, 0);
    assert.deepEqual(await outcomes("lowercaseOrganization"), ["403"]);
    // Nor does the accepted one come back, although the site file still names it.
    publisher.publish(listName, anew);
    const replayed = await session.refresh();
    assert.equal(replayed.exitCode, 1);
    assert.match(replayed.output, /it is older than the installed one\)/);
    assert.deepEqual(await outcomes("lowercaseOrganization"), ["403"]);
  });

  it("works again after its memory on the host was deleted in the middle of a change", async () => {
    await session.publishNew();
    await session.lab.run(`rm -rf /var/lib/clientcert && mkdir ${ours}/.stage && echo half >${ours}/.stage/crl.pem`);
    const takeOver = withSources(["issuing"], { takeOver: true });
    assert.equal((await session.apply(takeOver)).result, "applied");
    assert.equal(await session.lab.run(`ls -A ${ours} | grep '^[.]' || :`), "");
    assert.equal((await session.timer()).exitCode, 0);
    assert.deepEqual(await outcomes("good", "revoked"), ["200", "refused"]);
  });

  it("serves with the first list of the site file while the CA's server is down, and with its own afterwards", async () => {
    const { pki, publisher } = session;
    const first: Wish = sourced(publisher, {
      crlPem: await pki.crl({ number: 300 }),
      crlSources: [sourceOf([publisher.url("first.crl")], true)],
    });
    const outcome = await session.apply(first);
    assert.equal(outcome.result, "applied");
    assert.match(outcome.reasons.join("\n"), /gives nothing usable yet, the CRL of the site file serves/);
    assert.equal((await session.refresh()).exitCode, 1);
    const serials = [pki.clients.good.serial];
    publisher.publish("first.crl", await pki.crl({ number: 301, thisUpdateHours: -0.1, serials }));
    assert.equal((await session.refresh()).exitCode, 0);
    assert.deepEqual(await outcomes("good", "revoked"), ["refused", "200"]);
  });

  it("is taken out of the host as a whole", async () => {
    assert.equal((await session.remove()).result, "applied");
    assert.deepEqual(await outcomes("revoked"), ["200"]);
    assert.equal(await session.lab.run(`ls -d ${ours} /var/lib/clientcert 2>/dev/null || :`), "");
  });
});

describe("a host that checks the whole chain, and has wget only", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  const rootList = "root.crl";

  before(async () => {
    session = await startRefreshSession({ without: ["curl"] });
    session.publisher.publish(rootList, await session.pki.crl({ ca: "root" }));
  });
  after(() => session.stop());

  const chain = (...names: string[]): Wish =>
    sourced(session.publisher, {
      crlCheck: "chain",
      crlSources: names.map((name) => sourceOf([session.publisher.url(name)])),
    });
  const outcomes = async (): Promise<string[]> =>
    (await Promise.all((["good", "revoked"] as const).map((certificate) => request(session.lab, { certificate })))).map(
      ({ outcome }) => outcome,
    );

  it("wants the root's list, too", async () => {
    const without = await session.apply(chain(listName));
    assert.equal(without.result, "refused");
    assert.match(without.reasons.join("\n"), /the CRL of the CA .*Lab Root CA/);
    assert.equal((await session.apply(chain(listName, rootList))).result, "applied");
    assert.deepEqual(await outcomes(), ["200", "refused"]);
  });

  it("takes no list of CA certificates for that of the users", async () => {
    session.publisher.publish(
      listName,
      await session.pki.crl({ number: 50, thisUpdateHours: -0.5, kind: "authorities" }),
    );
    await session.timer();
    assert.deepEqual(await outcomes(), ["200", "refused"]);
  });

  it("brings a revocation, and stays as it is when the address is wrong", async () => {
    session.publisher.fault(listName, "notFound");
    assert.equal((await session.refresh()).exitCode, 1);
    assert.deepEqual(await outcomes(), ["200", "refused"]);
    session.publisher.fault(listName, "ok");
    const serials = [session.pki.clients.revoked.serial, session.pki.clients.good.serial];
    session.publisher.publish(listName, await session.pki.crl({ number: 60, thisUpdateHours: -0.2, serials }));
    assert.equal((await session.timer()).exitCode, 0);
    assert.deepEqual(await outcomes(), ["refused", "refused"]);
  });
});
