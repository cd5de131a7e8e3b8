# SPDX-License-Identifier: GPL-3.0-or-later
# An authority of its own, as RFC 3161 has it.
authority() {
    cat >ca.cnf <<'CNF'
[req]
distinguished_name = name
x509_extensions = ca
prompt = no
[name]
CN = Test Authority
[ca]
basicConstraints = critical,CA:TRUE
[stamps]
extendedKeyUsage = critical,timeStamping
[tsa]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
certs = ca.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
CNF
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -config ca.cnf -days 30
    openssl req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -config ca.cnf -subj /CN=Stamps
    openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out tsa.pem -extfile ca.cnf -extensions stamps
    openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -config ca.cnf -days 30
    echo 01 >serial
} 2>/dev/null

# Write the authority's reply to a query: grant_stamp QUERY REPLY
grant_stamp() { openssl ts -reply -queryfile "$1" -config ca.cnf -section tsa -out "$2" 2>/dev/null; }
