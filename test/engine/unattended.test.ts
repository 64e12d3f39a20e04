/** A host that build 5a6f128 has set up, and the state that it has left: one change, and nothing after it. */
import assert from "node:assert/strict";
import { type LabHost, startLabHost } from "../../lab/host.ts";
import { type Ended, type Project, createProject } from "../../lab/project.ts";
import { type Publisher, startPublisher } from "../../lab/publisher.ts";
import { siteText } from "../../lab/site.ts";
import { hostProgramSha256 } from "../../provider/apache/host-program.ts";
import { skipBecause } from "../skip.ts";
import { buildEarlier, hasCommit, removeEarlier, useThisCheckout } from "./earlier-build.ts";

const commit = "5a6f128";
const told =
  /\/var\/lib\/clientcert\/[0-9a-f]{16}\/program: the program that refreshes and undoes on this host is of another version$/m;
/** What `--expect-no-changes` ends with when there are changes. */
const changesFound = 7;

describe(`a host of build ${commit}, under the engine with this build`, function () {
  this.timeout(240_000);
  let earlier: string;

  before(function () {
    if (!hasCommit(commit)) skipBecause(this, `the history here has no ${commit}: git fetch --unshallow`);
    earlier = buildEarlier(commit);
  });
  after(() => removeEarlier(earlier));

  for (const kind of ["lists from the site", "lists that it downloads itself"] as const)
    describe(`with ${kind}`, () => {
      let host: LabHost;
      let project: Project;
      let publisher: Publisher;
      const pulumi = (...args: string[]): Promise<Ended> => project.pulumi(...args);
      const program = (): Promise<string> => host.run("sha256sum /var/lib/clientcert/*/program | cut -c 1-64");

      function assertStatus({ status, output }: Ended, wanted: number): void {
        assert.equal(status, wanted, output);
      }

      before(async () => {
        host = await startLabHost({ cron: true });
        publisher = await startPublisher(host.pki);
        publisher.publish("issuing.crl", await host.pki.crl());
        project = await createProject({ checkout: earlier });
        await project.write("ca.pem", host.pki.caBundle);
        await project.write("issuing.crl", await host.pki.crl());
        const lists =
          kind === "lists from the site"
            ? { crlFiles: ["issuing.crl"] }
            : { clientAuth: { crlSources: [{ urls: [publisher.url("issuing.crl")] }] } };
        const hosts = [{ name: "web1", lab: host, more: { phpVersion: "8.3" } }];
        await project.write("lab.yaml", siteText({ caFiles: ["ca.pem"], ...lists, hosts }));
        assertStatus(await pulumi("up", "--yes", "--skip-preview"), 0);
        assertStatus(await pulumi("preview", "--expect-no-changes"), 0);
        useThisCheckout(project.folder);
      });
      after(async () => {
        await host.stop();
        await publisher.stop();
        await project.remove();
      });

      it("shows one change in a preview, which ends with 7", async () => {
        const before = await program();
        assert.notEqual(before.trim(), hostProgramSha256());
        const found = await pulumi("preview", "--expect-no-changes");
        assertStatus(found, changesFound);
        assert.match(found.output, told);
        assert.match(found.output, /~ 1 to update/);
        assert.equal(await program(), before, "a preview changes nothing");
      });

      it("plans nothing from the state of that build without a refresh either", async () => {
        const found = await pulumi("preview", "--refresh=false", "--expect-no-changes");
        assertStatus(found, changesFound);
        assert.match(found.output, /read by another version of clientcert, so nothing is planned from it/);
      });

      it("is brought to this build by one up, and the second has nothing to do", async () => {
        const up = await pulumi("up", "--yes", "--skip-preview");
        assertStatus(up, 0);
        assert.match(up.output, /~ 1 updated/);
        assert.equal((await program()).trim(), hostProgramSha256());
        assertStatus(await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes"), 0);
        assertStatus(await pulumi("preview", "--expect-no-changes"), 0);
        assertStatus(await pulumi("refresh", "--preview-only", "--expect-no-changes"), 0);
      });
    });
});
