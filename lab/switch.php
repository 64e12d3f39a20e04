<?php
// Plays the product's settings page, by the rule of the vendor's manual (https://support.nivms.com/manual/system_control14):
// the switch "require a client certificate" is shown only over HTTPS, and only to whoever presents a certificate himself,
// so that nobody locks himself out.
header('Content-Type: text/plain');
$shown = ($_SERVER['HTTPS'] ?? '') === 'on' && ($_SERVER['SSL_CLIENT_VERIFY'] ?? '') === 'SUCCESS';
$bytes = 0;
for ($input = fopen('php://input', 'r'); !feof($input);) {
    $bytes += strlen(fread($input, 65536));
}
$answers = [
    'switch' => $shown ? 'shown' : 'hidden',
    'verify' => $_SERVER['SSL_CLIENT_VERIFY'] ?? '',
    'organization' => $_SERVER['SSL_CLIENT_S_DN_O'] ?? '',
    'protocol' => $_SERVER['SSL_PROTOCOL'] ?? '',
    'body' => $bytes,
    'php' => PHP_VERSION,
    'certificate' => strlen($_SERVER['SSL_CLIENT_CERT'] ?? ''),
    'user' => $_SERVER['REMOTE_USER'] ?? '',
];
foreach ($answers as $name => $value) {
    echo "$name=$value\n";
}
