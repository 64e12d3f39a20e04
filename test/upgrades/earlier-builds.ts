/**
 * Hosts that earlier builds have set up, and the state that they have left: refreshed, updated, imported and destroyed.
 */
import assert from "node:assert/strict";
import { type LabHost, startLabHost } from "../../lab/host.ts";
import { type Ended, createProject } from "../../lab/project.ts";
import { startPublisher } from "../../lab/publisher.ts";
import { siteText } from "../../lab/site.ts";
import { hostProgramSha256 } from "../../provider/apache/host-program.ts";
import { skipBecause } from "../skip.ts";
import { buildEarlier, hasCommit, removeEarlier, useThisCheckout } from "./earlier-build.ts";

const told =
  /\/var\/lib\/clientcert\/[0-9a-f]{16}\/program: the program that refreshes and undoes on this host is of another version$/m;
/** What `--expect-no-changes` ends with when there are changes. */
const changesFound = 7;

/** What becomes of hosts and state of a commit; without an entry of `isRead` nothing is planned from its state. */
export const testBuild = (commit: string, isRead: boolean): void =>
  void describe(`a host of build ${commit}, under the engine with this build`, function () {
    this.timeout(240_000);
    let earlier: string;

    before(function () {
      if (!hasCommit(commit)) skipBecause(this, `the history here has no ${commit}: git fetch --unshallow`);
      earlier = buildEarlier(commit);
    });
    after(() => removeEarlier(earlier));

    for (const kind of ["lists from the site", "lists that it downloads itself"] as const)
      describe(`with ${kind}`, () => {
        let site: EarlierSite;
        const program = (): Promise<string> =>
          site.host.run("sha256sum /var/lib/clientcert/*/program | cut -c 1-64 | tr -d '\\n'");

        before(async () => {
          site = await startEarlierSite(earlier, kind);
        });
        after(() => site.remove());

        it("shows one change of the host in a preview, and changes nothing", async () => {
          const before = await program();
          assert.notEqual(before, hostProgramSha256());
          const found = await site.pulumi("preview", "--expect-no-changes");
          assertStatus(found, changesFound);
          assert.match(found.output, told);
          // The site and the host beside it: those builds recorded no arguments of components.
          assert.match(found.output, /~ 3 to update/);
          assert.equal(await program(), before, "a preview changes nothing");
        });

        if (!isRead)
          it("plans nothing from the state of that build without a refresh either", async () => {
            const found = await site.pulumi("preview", "--refresh=false", "--expect-no-changes");
            assertStatus(found, changesFound);
            assert.match(found.output, /read by another version of clientcert, so nothing is planned from it/);
          });

        it("is brought to this build by one up, and the second has nothing to do", async () => {
          assertStatus(await site.pulumi("up", "--yes", "--skip-preview"), 0);
          assert.equal(await program(), hostProgramSha256());
          assertStatus(await site.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes"), 0);
          assertStatus(await site.pulumi("preview", "--expect-no-changes"), 0);
          assertStatus(await site.pulumi("refresh", "--preview-only", "--expect-no-changes"), 0);
        });
      });

    describe("whose state is refreshed, lost and imported", () => {
      let site: EarlierSite;
      before(async () => {
        site = await startEarlierSite(earlier, "lists from the site");
      });
      after(() => site.remove());

      it("is refreshed", async () => {
        assertStatus(await site.pulumi("refresh", "--yes", "--skip-preview"), 0);
      });

      it("is imported where its state is lost", async () => {
        const type = "clientcert:apache:ClientAuth";
        const urn = `urn:pulumi:lab::clientcert::clientcert:index:Site$clientcert:index:ApacheHost$${type}::web1`;
        assertStatus(await site.pulumi("state", "delete", urn, "--yes"), 0);
        const { address, ports, hostKey, keyFile } = site.host;
        const query = new URLSearchParams({ hostKey: hostKey.trim(), keyFile, httpsPort: String(ports.https) });
        const id = `ssh://root@${address}:${ports.ssh}?${query}`;
        const imported = await site.pulumi("import", type, "imported", id, "--yes", "--generate-code=false");
        assertStatus(imported, 0);
        assert.match(imported.output, /1 imported/);
      });
    });

    it("is taken back by a destroy, to the bytes of before", async () => {
      const site = await startEarlierSite(earlier, "lists from the site");
      try {
        assert.notEqual(await site.configuration(), site.original);
        assertStatus(await site.pulumi("destroy", "--yes", "--skip-preview"), 0);
        assert.equal(await site.configuration(), site.original);
        assert.equal(
          await site.host.run("ls /var/lib/clientcert /usr/local/ni/apache/conf/clientcert 2>/dev/null; :"),
          "",
        );
      } finally {
        await site.remove();
      }
    });
  });

interface EarlierSite {
  readonly host: LabHost;
  readonly pulumi: (...args: string[]) => Promise<Ended>;
  readonly configuration: () => Promise<string>;
  /** What {@link configuration} was before that build came. */
  readonly original: string;
  readonly remove: () => Promise<void>;
}

/** A host that the earlier build has set up; from then on the project runs with this one. */
async function startEarlierSite(earlier: string, kind: string): Promise<EarlierSite> {
  const host = await startLabHost({ cron: true });
  const publisher = await startPublisher(host.pki);
  publisher.publish("issuing.crl", await host.pki.crl());
  const project = await createProject({ checkout: earlier });
  const configuration = (): Promise<string> => host.run("cat /usr/local/ni/apache/conf/extra/httpd-ssl.conf");
  const original = await configuration();
  await project.write("ca.pem", host.pki.caBundle);
  await project.write("issuing.crl", await host.pki.crl());
  const lists =
    kind === "lists from the site"
      ? { crlFiles: ["issuing.crl"] }
      : { clientAuth: { crlSources: [{ urls: [publisher.url("issuing.crl")] }] } };
  const hosts = [{ name: "web1", lab: host, more: { phpVersion: "8.3" } }];
  await project.write("lab.yaml", siteText({ caFiles: ["ca.pem"], ...lists, hosts }));
  const pulumi = (...args: string[]): Promise<Ended> => project.pulumi(...args);
  assertStatus(await pulumi("up", "--yes", "--skip-preview"), 0);
  assertStatus(await pulumi("preview", "--expect-no-changes"), 0);
  useThisCheckout(project.folder);
  const remove = async (): Promise<void> => {
    await host.stop();
    await publisher.stop();
    await project.remove();
  };
  return { host, pulumi, configuration, original, remove };
}

function assertStatus({ status, output }: Ended, wanted: number): void {
  assert.equal(status, wanted, output);
}
