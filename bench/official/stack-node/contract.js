// The contract of bench/suite/contract.py, on fabric-contract-api.
'use strict';

const { Contract } = require('fabric-contract-api');

const COLLECTION = 'shared';

// Names in the alphabet's order: one value, one form, whatever language wrote it.
function sorted({ id, lot, owner, units, version }) {
    return JSON.stringify({ id, lot, owner, units, version });
}

async function load(context, id) {
    const state = await context.stub.getState(id);
    if (state.length === 0) {
        throw new Error(`there is no asset ${id}`);
    }
    return JSON.parse(state.toString());
}

class Assets extends Contract {
    constructor() {
        super('assets');
    }

    async Fill(context, prefix, count) {
        for (let number = 0; number < Number(count); number++) {
            const id = `${prefix}${String(number).padStart(5, '0')}`;
            const asset = {
                id, lot: `L${number % 10}`, owner: 'maker', units: 100 + number % 50, version: 1,
            };
            await context.stub.putState(id, Buffer.from(sorted(asset)));
        }
    }

    async Read(context, id) {
        return sorted(await load(context, id));
    }

    async List(context, start, end) {
        const found = [];
        for await (const { value } of context.stub.getStateByRange(start, end)) {
            found.push(JSON.parse(Buffer.from(value).toString()));
        }
        return `[${found.map(sorted).join(',')}]`;
    }

    async Transfer(context, id, owner, units) {
        const price = context.stub.getTransient().get('price');
        const asset = await load(context, id);
        const taken = Number(units);
        if (taken > asset.units) {
            throw new Error(`asset ${id} has ${asset.units} units`);
        }
        asset.owner = owner;
        asset.units -= taken;
        asset.version += 1;
        const state = sorted(asset);
        await context.stub.putState(id, Buffer.from(state));
        await context.stub.putPrivateData(COLLECTION, id, price);
        return state;
    }

    async Price(context, id) {
        return (await context.stub.getPrivateData(COLLECTION, id)).toString();
    }
}

module.exports.contracts = [Assets];
