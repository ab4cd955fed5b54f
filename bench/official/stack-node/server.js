// The contract, served as chaincode: the command of fabric-shim, told in its own options what the
// network tells in the environment.
'use strict';

const environment = process.env;
process.argv.push(
    'server',
    '--module-path', __dirname,
    '--chaincode-address', environment.CHAINCODE_SERVER_ADDRESS,
    '--chaincode-id', environment.CHAINCODE_ID,
    '--chaincode-tls-key-file', environment.CHAINCODE_TLS_KEY_FILE,
    '--chaincode-tls-cert-file', environment.CHAINCODE_TLS_CERT_FILE,
    '--chaincode-tls-client-cacert-file', environment.CHAINCODE_CLIENT_CA_CERT_FILE,
);
require('fabric-shim/cli.js');
