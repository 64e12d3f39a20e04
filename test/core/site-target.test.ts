import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { makeTarget } from "../../core/site/target.ts";
import { readSite } from "../../core/site/read-site.ts";

/** Of `stacks/example.yaml`. */
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEBLjYHViGCaqFMyUIp8qXJHpIlClhosKhtu52v/rVHs";

describe("a host of a site, for the provider", () => {
  it("has its connection and what overrides detection, without undefined values", () => {
    const { site } = readSite(readFileSync("stacks/example.yaml", "utf8"), "s.yaml");
    const [first, second] = (site?.hosts ?? []).map(makeTarget);
    assert.deepEqual(first, {
      connection: {
        address: "192.0.2.10",
        port: 22,
        user: "root",
        hostKey,
        login: { from: "agent" },
        sudo: { how: "none" },
      },
      detection: {},
    });
    assert.deepEqual(second?.connection.login, {
      from: "keyFile",
      path: "~/.ssh/id_ed25519",
      passphraseEnvironment: "SITE_KEY_PASSPHRASE",
    });
    assert.deepEqual(second?.connection.sudo, { how: "password", environment: "WEB2_SUDO_PASSWORD" });
    assert.deepEqual(second?.connection.bastion, {
      address: "jump.example.com",
      port: 22,
      user: "deploy",
      hostKey,
      login: { from: "agent" },
    });
    assert.deepEqual(second?.detection.defines, ["SSL"]);
  });
});
