import type { Session } from "../host/session.ts";

/** What must come back: every file and directory of the configuration and of our state, with mode, owner and bytes. */
export function bytesOf({ lab }: Session, ...directories: readonly string[]): Promise<string> {
  const roots = (directories.length > 0 ? directories : ["/usr/local/ni/apache/conf", "/var/lib/clientcert"]).join(" ");
  return lab.run(
    `find ${roots} -printf '%p %y %m %U:%G %l\\n' 2>/dev/null | sort; find ${roots} -type f -exec sha256sum {} + 2>/dev/null | sort`,
  );
}

/** Ends httpd with all its processes; its pid file stays, as after a power cut. */
export async function endHttpd({ lab }: Pick<Session, "lab">): Promise<void> {
  await lab.run(
    'pids=$(pgrep -x httpd); kill -KILL $pids; for pid in $pids; do while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done; done; rm -f /usr/local/ni/apache/logs/cgisock*',
  );
}
