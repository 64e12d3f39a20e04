/** The product's tree of a lab host under a server root of another name, with files of other names in it. */
import { productRoot } from "../../lab/product.ts";
import type { LabHost } from "../../lab/host.ts";

/** Where a tree lies, and what its main file and that of the virtual hosts are called. */
export interface OddNames {
  readonly root: string;
  readonly config: string;
  readonly included: string;
}

/** Such as a person may give: each must go through every script, list and file of ours, and of httpd. */
export const oddNames: Readonly<Record<string, OddNames>> = {
  "with Japanese names": { root: "/opt/グループウェア/apache", config: "設定.conf", included: "仮想ホスト.conf" },
  "with quotes, blanks and signs in its names": {
    root: '/opt/it\'s "web" 100% $HOME/a & b|c\\d;#`id`{e}',
    config: "-f 'main' %20.conf",
    included: 'a "b" & c|d\\ ',
  },
};

/** As a word of a shell command of the lab, whose texts go there as UTF-8. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** How paths of the host come back from it: bytes as latin1. */
export const asBytes = (text: string): string => Buffer.from(text).toString("latin1");

/**
 * Moves the tree of a host whose httpd is stopped, and starts httpd there. `root` may be a shell command in `$(…)`, for
 * what is no text.
 */
export async function moveTree(lab: LabHost, { root, config, included }: OddNames): Promise<void> {
  const words = { root: root.startsWith("$(") ? `"${root}"` : shellWord(root), config: shellWord(config) };
  await lab.run(`set -e
    root=${words.root} config=${words.config} included=${shellWord(included)}
    export root included
    mkdir -p "\${root%/*}"
    mv -T ${productRoot} "$root"
    [ "$config" = httpd.conf ] || mv "$root/conf/httpd.conf" "$root/conf/$config"
    [ "$included" = httpd-ssl.conf ] || mv "$root/conf/extra/httpd-ssl.conf" "$root/conf/extra/$included"
    ${renameInFiles} "$root/conf/$config" "$root/conf/extra/$included"
    chmod 755 "\${root%/*}"
    ${startServer}`);
}

/** In the configuration, in double quotes. */
const renameInFiles = `perl -pi -e '
  BEGIN { for (@ENV{"root", "included"}) { (my $quoted = $_) =~ s/(["\\\\])/\\\\$1/g; push @new, $quoted } }
  s{conf/extra/httpd-ssl[.]conf}{"conf/extra/$new[1]"}; s{${productRoot}}{$new[0]}g' --`;

/** With `$root` and `$config` set. */
export const startServer = `"$root/bin/httpd" -d "$root" -f "conf/$config" -k start
    timeout 20 sh -c 'until [ -s "$root/logs/httpd.pid" ]; do sleep 0.05; done'`;
