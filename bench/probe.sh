# The least that can be known of a host: stats, hashes and prints six files, in one execution.
for file in httpd.conf extra/httpd-ssl.conf mime.types magic server.crt ../htdocs/index.html; do
  stat -c '%n %a %U %G %s %Y' "/usr/local/ni/apache/conf/$file"
  sha256sum "/usr/local/ni/apache/conf/$file"
  cat "/usr/local/ni/apache/conf/$file"
done
