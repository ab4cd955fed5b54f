// A function for every function of the stub. Bytes are hexadecimal; lists are JSON.
'use strict';

const crypto = require('node:crypto');
const { Contract } = require('fabric-contract-api');
const { KeyEndorsementPolicy } = require('fabric-shim');
const { declare, parameterNames } = require('./declare.js');

const bytes = (text) => Buffer.from(text, 'hex');
const hex = (value) => Buffer.from(value || '').toString('hex');
const sha256 = (value) => crypto.createHash('sha256').update(value).digest('hex');

/** Read a result to its end, or until there are `limit` items (0: no limit). */
async function collect(results, limit = 0) {
    const items = [];
    for await (const item of results) {
        items.push([item.key, hex(item.value)]);
        if (items.length === limit) {
            break;
        }
    }
    return items;
}

async function items(results) {
    return JSON.stringify(await collect(results));
}

async function page(results) {
    const items = await collect(results);
    const { metadata } = await results;
    return JSON.stringify([items, metadata.bookmark, metadata.fetchedRecordsCount]);
}

class Ledger extends Contract {

    constructor() {
        super('ledger');
    }

    // -- public state ------------------------------------------------------------------------

    async Get(ctx, key) {
        return hex(await ctx.stub.getState(key));
    }

    async Put(ctx, key, value) {
        await ctx.stub.putState(key, bytes(value));
    }

    async Delete(ctx, key) {
        await ctx.stub.deleteState(key);
    }

    async PutTwice(ctx, key, first, second) {
        await ctx.stub.putState(key, bytes(first));
        await ctx.stub.putState(key, bytes(second));
    }

    async PutDelete(ctx, key, value) {
        await ctx.stub.putState(key, bytes(value));
        await ctx.stub.deleteState(key);
    }

    async DeletePut(ctx, key, value) {
        await ctx.stub.deleteState(key);
        await ctx.stub.putState(key, bytes(value));
    }

    async PutGet(ctx, key, value) {
        await ctx.stub.putState(key, bytes(value));
        return hex(await ctx.stub.getState(key));
    }

    async PutFail(ctx, key, value) {
        await ctx.stub.putState(key, bytes(value));
        throw new Error('refused after a write');
    }

    async PutMany(ctx, keys, value) {
        for (const key of JSON.parse(keys)) {
            await ctx.stub.putState(key, bytes(value));
        }
    }

    async Big(ctx, count) {
        return 'x'.repeat(count);
    }

    async PutBig(ctx, key, count) {
        await ctx.stub.putState(key, Buffer.from('x'.repeat(count)));
    }

    // -- ranges, queries and history ---------------------------------------------------------

    async Range(ctx, start, end, limit) {
        return JSON.stringify(await collect(ctx.stub.getStateByRange(start, end), limit));
    }

    async RangePut(ctx, start, end, key) {
        const found = await collect(ctx.stub.getStateByRange(start, end));
        await ctx.stub.putState(key, Buffer.from('1'));
        return JSON.stringify(found);
    }

    async RangePage(ctx, start, end, size, bookmark) {
        return page(ctx.stub.getStateByRangeWithPagination(start, end, size, bookmark));
    }

    async PagePut(ctx, key) {
        await page(ctx.stub.getStateByRangeWithPagination('', '', 1, ''));
        await ctx.stub.putState(key, Buffer.from('1'));
    }

    async Partial(ctx, kind, attributes, limit) {
        const results = ctx.stub.getStateByPartialCompositeKey(kind, JSON.parse(attributes));
        return JSON.stringify(await collect(results, limit));
    }

    async PartialPage(ctx, kind, attributes, size, bookmark) {
        return page(ctx.stub.getStateByPartialCompositeKeyWithPagination(
            kind, JSON.parse(attributes), size, bookmark,
        ));
    }

    async CreateKey(ctx, kind, attributes) {
        return hex(ctx.stub.createCompositeKey(kind, JSON.parse(attributes)));
    }

    async SplitKey(ctx, key) {
        const { objectType, attributes } = ctx.stub.splitCompositeKey(bytes(key).toString());
        return JSON.stringify([objectType, ...attributes]);
    }

    async PutComposite(ctx, kind, attributes, value) {
        const key = ctx.stub.createCompositeKey(kind, JSON.parse(attributes));
        await ctx.stub.putState(key, bytes(value));
    }

    async Query(ctx, query) {
        return JSON.stringify(await collect(ctx.stub.getQueryResult(query)));
    }

    async QueryPage(ctx, query, size, bookmark) {
        return page(ctx.stub.getQueryResultWithPagination(query, size, bookmark));
    }

    async History(ctx, key) {
        const changes = [];
        for await (const change of ctx.stub.getHistoryForKey(key)) {
            const { seconds, nanos } = change.timestamp;
            const moment = Number(seconds) * 1000 + Math.floor(nanos / 1000000);
            changes.push([change.txId, hex(change.value), moment, change.isDelete]);
        }
        return JSON.stringify(changes);
    }

    // -- private data and key policies -------------------------------------------------------

    async PrivateGet(ctx, collection, key) {
        return hex(await ctx.stub.getPrivateData(collection, key));
    }

    async PrivateHash(ctx, collection, key) {
        return hex(await ctx.stub.getPrivateDataHash(collection, key));
    }

    async PrivatePut(ctx, collection, key) {
        await ctx.stub.putPrivateData(collection, key, ctx.stub.getTransient().get('value'));
    }

    async PrivateDelete(ctx, collection, key) {
        await ctx.stub.deletePrivateData(collection, key);
    }

    async PrivatePurge(ctx, collection, key) {
        await ctx.stub.purgePrivateData(collection, key);
    }

    async PrivateRange(ctx, collection, start, end) {
        return items(ctx.stub.getPrivateDataByRange(collection, start, end));
    }

    async PrivatePartial(ctx, collection, kind, attributes) {
        return items(ctx.stub.getPrivateDataByPartialCompositeKey(
            collection, kind, JSON.parse(attributes),
        ));
    }

    async PrivateQuery(ctx, collection, query) {
        return items(ctx.stub.getPrivateDataQueryResult(collection, query));
    }

    async Policy(ctx, role, organizations) {
        const policy = new KeyEndorsementPolicy();
        policy.addOrgs(role, ...JSON.parse(organizations));
        return hex(policy.getPolicy());
    }

    async PolicyWithout(ctx, parameter, organization) {
        const policy = new KeyEndorsementPolicy(bytes(parameter));
        policy.delOrgs(organization);
        return hex(policy.getPolicy());
    }

    async SetPolicy(ctx, key, parameter) {
        await ctx.stub.setStateValidationParameter(key, bytes(parameter));
    }

    /** Writes values and policies, public and private, some of them twice. */
    async Mixed(ctx, collection, key, parameter) {
        const policy = bytes(parameter);
        await ctx.stub.putState(key, Buffer.from('1'));
        await ctx.stub.setStateValidationParameter(key, Buffer.alloc(0));
        await ctx.stub.putPrivateData(collection, key, Buffer.from('1'));
        await ctx.stub.setPrivateDataValidationParameter(collection, key, policy);
        await ctx.stub.setStateValidationParameter(key, policy);
        await ctx.stub.putState(key, Buffer.from('2'));
        await ctx.stub.putPrivateData(collection, key, ctx.stub.getTransient().get('value'));
        await ctx.stub.deleteState('b');
        await ctx.stub.deletePrivateData(collection, 'p3');
    }

    async GetPolicy(ctx, key) {
        return hex(await ctx.stub.getStateValidationParameter(key));
    }

    async PrivateSetPolicy(ctx, collection, key, parameter) {
        await ctx.stub.setPrivateDataValidationParameter(collection, key, bytes(parameter));
    }

    async PrivateGetPolicy(ctx, collection, key) {
        return hex(await ctx.stub.getPrivateDataValidationParameter(collection, key));
    }

    // -- the transaction and its client ------------------------------------------------------

    async Ids(ctx) {
        return JSON.stringify([ctx.stub.getTxID(), ctx.stub.getChannelID()]);
    }

    async Binding(ctx) {
        return ctx.stub.getBinding();
    }

    async Milliseconds(ctx) {
        return ctx.stub.getDateTimestamp().getTime();
    }

    async Transient(ctx) {
        const entries = [...ctx.stub.getTransient()].map(([name, value]) => [name, hex(value)]);
        return JSON.stringify(Object.fromEntries(entries));
    }

    async Signature(ctx) {
        return hex(Buffer.from(ctx.stub.getSignedProposal().signature, 'base64'));
    }

    async Args(ctx, argument) {
        return JSON.stringify(ctx.stub.getBufferArgs().map(hex));
    }

    async Call(ctx, chaincode, channel, args) {
        const answer = await ctx.stub.invokeChaincode(chaincode, JSON.parse(args), channel);
        return JSON.stringify([answer.status, answer.message, hex(answer.payload)]);
    }

    async Event(ctx, name, payload) {
        ctx.stub.setEvent(name, bytes(payload));
    }

    async EventTwice(ctx, first, second) {
        ctx.stub.setEvent(first, Buffer.from('1'));
        ctx.stub.setEvent(second, Buffer.from('2'));
    }

    async EventFail(ctx, name) {
        ctx.stub.setEvent(name, Buffer.from(''));
        throw new Error('refused after an event');
    }

    async Fail(ctx, message) {
        throw new Error(message);
    }

    async ClientId(ctx) {
        return ctx.clientIdentity.getID();
    }

    async ClientMsp(ctx) {
        return ctx.clientIdentity.getMSPID();
    }

    async ClientAttribute(ctx, name) {
        return JSON.stringify(ctx.clientIdentity.getAttributeValue(name));
    }

    async ClientCertificate(ctx) {
        const pem = Buffer.from(ctx.clientIdentity.getIDBytes());
        return sha256(new crypto.X509Certificate(pem).raw);
    }
}

const EVALUATED = new Set(['Get', 'Range']);
const NUMBERS = new Set(['count', 'limit', 'size']);
const WITHOUT_RESULT = new Set([
    'Put', 'Delete', 'PutTwice', 'PutDelete', 'DeletePut', 'PutFail', 'PutMany', 'PutBig',
    'PagePut', 'PutComposite', 'PrivatePut', 'PrivateDelete', 'PrivatePurge', 'SetPolicy',
    'PrivateSetPolicy', 'Mixed', 'Event', 'EventTwice', 'EventFail', 'Fail',
]);

for (const name of Object.getOwnPropertyNames(Ledger.prototype)) {
    if (name === 'constructor') {
        continue;
    }
    const parameters = parameterNames(Ledger.prototype[name]);
    const result = name === 'Milliseconds' ? 'number' : 'string';
    declare(Ledger, name, {
        submit: !EVALUATED.has(name),
        parameters: parameters.map((one) => [one, NUMBERS.has(one) ? 'number' : 'string']),
        returns: WITHOUT_RESULT.has(name) ? undefined : result,
    });
}

module.exports = { Ledger };
