/** Processes of an ordinary user whose names and paths are meant to lead astray whoever reads /proc. */
import type { Session } from "../host/session.ts";

const names = [
  ...["a\nb", "x) S 1 1", "a\n) S 1 1\n", "\n".repeat(15), ") ) ) ) )", "a  b *", "\\\\\\n", `'"$(id)\``],
  ...["\x81\x82\x88\xff)", "\nhttpd\n(", "Uid:\t0\t0", "httpd"],
];

const line = "'/proc/1/exe' -> '/usr/local/ni/apache/bin/httpd";
/** Below a directory of theirs. A program of the name httpd is any user's right. */
const paths = [
  ...["httpd", `a\n${line}`, `x' -> '${line}`, "b -> '/usr/sbin/php-fpm8", "*", `c"'\\ -> "/cron`],
  ...["httpd (deleted)", "d\n/proc/2/exe", "\xe3\x81\n\xff", "-f/run/clientcert.1.1/minimal/httpd.conf-"],
];

const script = `
  use File::Path; use File::Basename;
  local $/; my ($names, $paths) = map { [map { pack "H*", $_ } split /,/] } split /;/, <STDIN>;
  my $count = 0;
  for my $path (@$paths) {
    my $file = "/tmp/neighbours/$path";
    File::Path::make_path(File::Basename::dirname($file));
    system("cp", "--", $^X, $file) == 0 or die "$file: $!";
    for my $name ($path eq "httpd" ? @$names : $names->[$count++ % @$names]) {
      next if fork;
      open STDOUT, ">/dev/null"; open STDERR, ">/dev/null";
      exec { $file } "perl", "-e", '$0 = pack "H*", shift; sleep 10 while 1', unpack("H*", $name);
    }
  }
`;

const hexOf = (texts: readonly string[]): string =>
  texts.map((text) => Buffer.from(text, "latin1").toString("hex")).join();

/** They live as long as the host. */
export async function startNeighbours({ lab }: Pick<Session, "lab">): Promise<void> {
  const asNobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
  await lab.run(`cat >/run/neighbours.pl`, script);
  await lab.run(`${asNobody} perl /run/neighbours.pl`, `${hexOf(names)};${hexOf(paths)}`);
  const torn =
    "grep -Lz ')' /proc/[0-9]*/stat 2>/dev/null; for f in /proc/[0-9]*/stat; do head -n 1 $f; done | grep -vc ')'";
  const count = Number(await lab.run(`sleep 0.3; { ${torn}; } 2>/dev/null | tail -n 1`));
  if (count < 4) throw new Error(`only ${count} names with a line end`);
}
