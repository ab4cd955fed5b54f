// The official Node client, as bench/gateway.py runs it:
//
//   node client.js SETUP.json CASE CONCURRENCY WARMUP COUNT default|native
//
// The last one chooses the signer: the client's own, or one on Node's native cryptography.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const process = require('node:process');
const grpc = require('@grpc/grpc-js');
const { connect, hash, signers } = require('@hyperledger/fabric-gateway');
const { decode } = require('./decode');

async function main() {
    const [setupFile, name, ...rest] = process.argv.slice(2);
    const [concurrency, warmup, count] = rest.slice(0, 3).map(Number);
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
        ...(rest[3] === 'native'
            ? { signer: nativeSigner(key), hash: hash.none }
            : { signer: signers.newPrivateKeySigner(key), hash: hash.sha256 }),
    });
    const totals = { keys: 0, values: 0 };
    const run = await makeCase(name, concurrency, setup, gateway, totals);

    await run(warmup);
    totals.keys = totals.values = 0;
    const began = process.hrtime.bigint();
    const before = process.cpuUsage();
    await run(count);
    const used = process.cpuUsage(before);
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    console.log(JSON.stringify({ cpu_us: used.user + used.system, seconds, ...totals }));
    process.exit(0);
}

async function makeCase(name, concurrency, setup, gateway, totals) {
    const network = gateway.getNetwork(setup.channel);
    const contract = network.getContract(setup.chaincode);
    switch (name) {
        case 'evaluate':
            return atOnce(concurrency, async () => {
                const answer = await contract.evaluateTransaction(...setup.evaluate);
                expect(answer, setup.evaluate_gives);
            });
        case 'submit':
            return atOnce(concurrency, async (number) => {
                const [call, ...others] = setup.submit;
                const answer = await contract.submitTransaction(
                    call, `key${process.pid}-${number}`, ...others);
                expect(answer, setup.submit_gives);
            });
        case 'block event': {
            const events = await network.getBlockEvents({ startBlock: 0n });
            const blocks = events[Symbol.asyncIterator]();
            let next = 0;
            return async (wanted) => {
                for (let i = 0; i < wanted; i++) {
                    const { value } = await blocks.next();
                    if (value.getHeader().getNumber() !== next) {
                        throw new Error(`block ${value.getHeader().getNumber()} came, not ${next}`);
                    }
                    next++;
                }
            };
        }
        case 'decoded transaction': {
            const messages = readMessages(setup.blocks);
            return async (wanted) => {
                for (let done = 0; done < wanted;) {
                    for (const message of messages) {
                        const found = decode(message);
                        done += found.transactions;
                        totals.keys += found.keys;
                        totals.values += found.values;
                    }
                }
            };
        }
        default:
            throw new Error(`no case ${name}`);
    }
}

// Runs a call so many times, with that many at a time.
function atOnce(concurrency, call) {
    let last = 0;
    return async (count) => {
        let left = count;
        const worker = async () => {
            while (left-- > 0) {
                await call(++last);
            }
        };
        await Promise.all(Array.from({ length: concurrency }, worker));
    };
}

// Node's own ECDSA hashes by itself. Fabric wants the smaller of the two valid s.
function nativeSigner(key) {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    return (message) => {
        const raw = crypto.sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
        let s = BigInt(`0x${raw.toString('hex', 32)}`);
        if (s > order / 2n) {
            s = order - s;
        }
        const low = Buffer.from(s.toString(16).padStart(64, '0'), 'hex');
        const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(low)]);
        return Promise.resolve(Buffer.concat([Buffer.from([0x30, body.length]), body]));
    };
}

// An INTEGER of DER: no needless zeros in front, but one where the first bit is set.
function integer(bytes) {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) {
        start++;
    }
    const digits = bytes.subarray(start);
    const sign = digits[0] & 0x80 ? [0] : [];
    return Buffer.concat([Buffer.from([0x02, digits.length + sign.length, ...sign]), digits]);
}

function expect(answer, wanted) {
    if (Buffer.compare(Buffer.from(answer), Buffer.from(wanted)) !== 0) {
        throw new Error('a call gave back something else');
    }
}

function readMessages(path) {
    const content = fs.readFileSync(path);
    const messages = [];
    for (let at = 0; at < content.length;) {
        const size = content.readUInt32BE(at);
        messages.push(content.subarray(at + 4, at + 4 + size));
        at += 4 + size;
    }
    return messages;
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
