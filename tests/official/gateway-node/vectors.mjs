// What the official Node client makes of a table of cases: JSON in on stdin, JSON out on stdout.
// What it sends goes to the server at `address`, which keeps it. See tests/unit/gateway/official_bytes.py.

import * as grpc from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

const bytes = (text) => Buffer.from(text, 'base64');
const text = (data) => Buffer.from(data).toString('base64');
const signable = (message) => ({ bytes: text(message.getBytes()), digest: text(message.getDigest()) });

const input = JSON.parse(readFileSync(0));
const client = new grpc.Client(input.address, grpc.credentials.createInsecure());
const settings = {
    client,
    identity: { mspId: input.msp_id, credentials: Buffer.from(input.certificate) },
    hash: hash[input.hash],
    tlsClientCertificateHash: input.tls_certificate_hash && bytes(input.tls_certificate_hash),
};
// The same for the same digest, so that whole messages can be compared.
const signer = (digest) => Promise.resolve(Buffer.concat([Buffer.from('signed '), digest]));
const gateway = connect({ ...settings, signer });
const unsigned = connect(settings);

async function transact(item) {
    const contract = gateway.getNetwork(item.channel).getContract(item.chaincode, item.contract);
    const proposal = contract.newProposal(item.function, {
        arguments: item.args.map(bytes),
        transientData: Object.fromEntries(item.transient.map(([key, value]) => [key, bytes(value)])),
        endorsingOrganizations: item.organizations,
    });
    const made = { transaction_id: proposal.getTransactionId(), proposal: signable(proposal) };
    await proposal.evaluate();
    const transaction = await proposal.endorse();
    made.transaction = signable(transaction);
    const commit = await transaction.submit();
    await commit.getStatus();
    made.commit = signable(commit);
    return made;
}

function requests(network, item) {
    const options = { startBlock: item.start_block === null ? undefined : BigInt(item.start_block) };
    const checkpoint = {
        getBlockNumber: () => options.startBlock,
        getTransactionId: () => item.after_transaction,
    };
    return {
        chaincode_events: network.newChaincodeEventsRequest(
            item.chaincode,
            item.after_transaction ? { checkpoint } : options,
        ),
        block_events: network.newBlockEventsRequest(options),
        filtered_block_events: network.newFilteredBlockEventsRequest(options),
        block_and_private_data_events: network.newBlockAndPrivateDataEventsRequest(options),
    };
}

async function listen(item) {
    const made = {};
    for (const [kind, request] of Object.entries(requests(gateway.getNetwork(item.channel), item))) {
        await receive(request);
        made[kind] = signable(request);
    }
    return made;
}

// The server sends one event.
async function receive(request) {
    const events = await request.getEvents();
    try {
        for await (const _ of events) {
            return;
        }
    } finally {
        events.close();
    }
}

const rebuilders = {
    proposal: ['Proposal', async (proposal) => { await proposal.evaluate(); await proposal.endorse(); }],
    transaction: ['Transaction', (transaction) => transaction.submit()],
    commit: ['Commit', (commit) => commit.getStatus()],
    chaincode_events: ['ChaincodeEventsRequest', receive],
    block_events: ['BlockEventsRequest', receive],
    filtered_block_events: ['FilteredBlockEventsRequest', receive],
    block_and_private_data_events: ['BlockAndPrivateDataEventsRequest', receive],
};

async function rebuild(item) {
    const [name, send] = rebuilders[item.kind];
    const plain = unsigned[`new${name}`](bytes(item.bytes));
    const signed = unsigned[`newSigned${name}`](bytes(item.bytes), bytes(item.signature));
    await send(signed);
    return { unsigned: signable(plain), signed: signable(signed) };
}

async function sign(item) {
    const key = createPrivateKey(bytes(item.key).toString());
    return { signature: text(await signers.newPrivateKeySigner(key)(bytes(item.digest))) };
}

async function each(items, work) {
    const results = [];
    for (const item of items) {
        results.push(await work(item));
    }
    return results;
}

const output = {
    transactions: await each(input.transactions, transact),
    events: await each(input.events, listen),
    rebuilt: await each(input.rebuild, rebuild),
    signed: await each(input.sign, sign),
};
client.close();
process.stdout.write(JSON.stringify(output));
