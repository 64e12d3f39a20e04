/** Lab hosts that differ from the stock host in a way that has caused trouble for somebody. */
import { createPrivateKey } from "node:crypto";
import type { MachineFile } from "./machine.ts";
import { manualFiles } from "./manual.ts";
import type { LabHostOptions } from "./options.ts";
import type { LabPki } from "./pki.ts";
import { freePort } from "./ports.ts";
import { moduleDirectory, productRoot, standInModule } from "./product.ts";

const cliStandIn = "/usr/local/ni/php/bin/php";
const secondRoot = "/usr/local/other";
const passphrase = "lab-passphrase-of-the-server-key";
/** The passphrase program answers as long as this file exists. */
const answersFlag = "/run/lab-passphrase-answers";
const passphraseProgram = `${productRoot}/conf/passphrase`;

/** Returns files in addition to, or in place of, the files of the product's tree. */
export async function variantFiles(options: LabHostOptions, pki: LabPki): Promise<[string, MachineFile][]> {
  const files = options.manual === undefined ? [] : await manualFiles(options.manual, pki);
  if (options.passphraseKey === true) files.push(...passphraseFiles(pki));
  if (options.secondInstance === true)
    files.push([`${secondRoot}/conf/httpd.conf`, { content: secondConfiguration(await freePort()) }]);
  return files;
}

/** Shell commands that finish the tree before any server starts. */
export function variantSetUp(options: LabHostOptions): string {
  const php = options.phpStandIn;
  return [
    options.passphraseKey === true
      ? `sed -i 's|^SSLPassPhraseDialog .*|SSLPassPhraseDialog exec:${passphraseProgram}|' ${productRoot}/conf/extra/httpd-ssl.conf\n`
      : "",
    options.confSymlink === true
      ? `mkdir -p /srv/ni\nmv ${productRoot}/conf /srv/ni/conf\nln -s /srv/ni/conf ${productRoot}/conf\n`
      : "",
    options.bindMountedConf === true ? bindMount(`${productRoot}/conf/extra/httpd-ssl.conf`) : "",
    options.hugeLogs === true ? `truncate -s 2G ${productRoot}/logs/access_log\n` : "",
    php === undefined ? "" : phpStandIn(php),
    options.secondInstance === true
      ? `mkdir -p ${secondRoot}/logs\nln -s ${moduleDirectory} ${secondRoot}/modules\nln -s conf/httpd.conf ${secondRoot}/apache2.conf\n`
      : "",
  ].join("");
}

/** Shell commands that start httpd. They include the commands of the layout. */
export function variantStart(options: LabHostOptions, start: string): string {
  const own = options.privateTmp === true ? inPrivateNamespace(start) : start;
  const second = options.secondInstance === true ? `/usr/sbin/apache2 -d ${secondRoot} -k start\n` : "";
  return options.passphraseKey === true ? `touch ${answersFlag}\n${own}rm ${answersFlag}\n${second}` : own + second;
}

function passphraseFiles(pki: LabPki): [string, MachineFile][] {
  const key = createPrivateKey(pki.server.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase,
  });
  const program = `#!/bin/sh\n[ -e ${answersFlag} ] || exec sleep 1000000\necho ${passphrase}\n`;
  return [
    [`${productRoot}/conf/server.key`, { content: key, mode: 0o600 }],
    [passphraseProgram, { content: program, mode: 0o700 }],
  ];
}

function bindMount(file: string): string {
  return `mkdir -p /srv/bound\ncp -a ${file} /srv/bound/\nmount --bind /srv/bound/${file.replace(/.*\//, "")} ${file}\n`;
}

function phpStandIn(php: NonNullable<LabHostOptions["phpStandIn"]>): string {
  const words = `printf 'X-Powered-By: PHP/${php.version}\\0'`;
  if (php.as === "module")
    return `mkdir -p ${standInModule.replace(/\/[^/]*$/, "")}\ncp ${moduleDirectory}/mod_asis.so ${standInModule}\n${words} >>${standInModule}\n`;
  return `mkdir -p ${cliStandIn.replace(/\/[^/]*$/, "")}\n{ printf '\\177ELF\\0'; ${words}; } >${cliStandIn}\nchmod 755 ${cliStandIn}\n`;
}

function inPrivateNamespace(start: string): string {
  const logs = `${productRoot}/logs`;
  const mounts = [
    "mount -t tmpfs -o mode=1777 tmpfs /tmp",
    `mount --bind ${productRoot} ${productRoot}`,
    `mount -o remount,bind,ro ${productRoot}`,
    `mount --bind ${logs} ${logs}`,
    `mount -o remount,bind,rw ${logs}`,
  ];
  return `unshare --mount --propagation private sh -ec '${[...mounts, start.trim()].join("; ")}'\n`;
}

function secondConfiguration(port: number): string {
  return `ServerRoot "${secondRoot}"
Listen 127.0.0.1:${port}
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
DefaultRuntimeDir "logs"
PidFile "logs/httpd.pid"
ServerName localhost
ErrorLog "logs/error_log"
`;
}
