"""The job as a pyinfra user would write it. FILES is a folder with ca.pem and crl.pem."""

import os

from pyinfra.operations import files, server

CONF = "/usr/local/ni/apache/conf"
HTTPD = "/usr/local/ni/apache/bin/httpd -d /usr/local/ni/apache -f conf/httpd.conf"
APACHECTL = "/usr/local/ni/apache/bin/apachectl"
HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.environ["FILES"]

with open(os.path.join(HERE, "block.conf"), encoding="utf-8") as block:
    DIRECTIVES = block.read().splitlines()

changes = [
    files.put(name="CA bundle", src=f"{FILES}/ca.pem", dest=f"{CONF}/peer-ca.pem", mode="644"),
    files.put(name="CRL", src=f"{FILES}/crl.pem", dest=f"{CONF}/peer-crl.pem", mode="644"),
    files.block(
        name="directives in the virtual host",
        path=f"{CONF}/extra/httpd-ssl.conf",
        content=DIRECTIVES,
        line="^<.VirtualHost>",  # pyinfra puts it between slashes
        before=True,
    ),
    files.block(
        name="upload buffer in the directory",
        path=f"{CONF}/httpd.conf",
        content="    SSLRenegBufferSize 52428800",
        line='^<Directory ".*htdocs">',
        after=True,
    ),
]
files.put(name="refresh script", src=f"{HERE}/refresh-crl", dest="/usr/local/sbin/refresh-crl", mode="755")
files.put(name="cron file", src=f"{HERE}/refresh-crl.cron", dest="/etc/cron.d/refresh-crl", mode="644")

server.shell(
    name="check and reload",
    commands=[f"{HTTPD} -t", f"{APACHECTL} graceful"],
    _if=lambda: any(change.did_change() for change in changes),
)
