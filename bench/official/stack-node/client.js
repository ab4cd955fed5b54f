// The client of bench/suite/client.py on the official Node client: node client.js SETUP default|native
//
// The last one chooses the signer: the client's own, or one on Node's native cryptography.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const process = require('node:process');
const readline = require('node:readline');
const grpc = require('@grpc/grpc-js');
const { connect, hash, signers } = require('@hyperledger/fabric-gateway');
const { nativeSigner } = require('./signer');

const say = (found) => process.stdout.write(`${JSON.stringify(found)}\n`);

async function main() {
    const [setupFile, signer] = process.argv.slice(2);
    const setup = JSON.parse(fs.readFileSync(setupFile, 'utf8'));
    const connection = new grpc.Client(
        setup.address,
        grpc.credentials.createSsl(fs.readFileSync(setup.tls_root)),
        {
            'grpc.ssl_target_name_override': setup.server_name,
            'grpc.max_receive_message_length': 100 << 20,
        },
    );
    const key = crypto.createPrivateKey(fs.readFileSync(setup.key));
    const gateway = connect({
        client: connection,
        identity: { mspId: setup.msp_id, credentials: fs.readFileSync(setup.certificate) },
        ...(signer === 'native'
            ? { signer: nativeSigner(key), hash: hash.none }
            : { signer: signers.newPrivateKeySigner(key), hash: hash.sha256 }),
    });
    const network = gateway.getNetwork(setup.channel);
    let command, calls, results, seconds;
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const next = JSON.parse(line);
        if (next.do === 'load') {
            command = next;
            calls = JSON.parse(fs.readFileSync(next.calls, 'utf8'));
            say({ ready: true });
        } else if (next.do === 'go') {
            const began = process.hrtime.bigint();
            results = await run(network.getContract(command.chaincode), command, calls);
            seconds = since(began);
            say({ done: true });
        } else {
            say(report(calls, results, seconds));
        }
    }
    process.exit(0);
}

async function run(contract, { submit, at_once: atOnce }, calls) {
    const results = new Array(calls.length);
    let next = 0;
    const worker = async () => {
        while (next < calls.length) {
            const number = next++;
            const { function: name, args, transient } = calls[number];
            const options = { arguments: args, transientData: transient };
            const began = process.hrtime.bigint();
            try {
                const answer = await (submit ? contract.submit(name, options) : contract.evaluate(name, options));
                results[number] = { answer, seconds: since(began) };
            } catch (error) {
                results[number] = { answer: Buffer.alloc(0), seconds: since(began), error: `${error}` };
            }
        }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return results;
}

function report(calls, results, seconds) {
    const inputs = crypto.createHash('sha256');
    const answers = crypto.createHash('sha256');
    for (const [number, { function: name, args, transient }] of calls.entries()) {
        inputs.update(`${name}\n`);
        args.forEach((argument) => inputs.update(`${argument}\n`));
        Object.keys(transient).sort().forEach((each) => inputs.update(`${each}=${transient[each]}\n`));
        answers.update(results[number].answer).update('\n');
    }
    return {
        seconds,
        latencies: results.map((result) => result.seconds),
        inputs: inputs.digest('hex'),
        answers: answers.digest('hex'),
        error: results.find((result) => result.error)?.error ?? '',
    };
}

function since(began) {
    return Number(process.hrtime.bigint() - began) / 1e9;
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
