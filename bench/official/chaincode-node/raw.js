// node raw.js ADDRESS: what bench/chaincodes.py has in Python, on fabric-shim.
'use strict';

const process = require('node:process');
const shim = require('fabric-shim');

class Raw {
    async Init() {
        return shim.success();
    }

    async Invoke(stub) {
        const { fcn, params } = stub.getFunctionAndParameters();
        const total = fcn === 'Range' ? await readRange(stub) : await readWrite(stub, Number(params[0]));
        return shim.success(Buffer.from(String(total)));
    }
}

async function readWrite(stub, size) {
    let total = 0;
    for (let i = 0; i < size; i++) {
        const value = await stub.getState(`key${i}`);
        total += value.length;
        await stub.putState(`key${i}`, value);
    }
    return total;
}

async function readRange(stub) {
    let total = 0;
    for await (const { value } of stub.getStateByRange('a', 'b')) {
        total += value.length;
    }
    return total;
}

module.exports = { readRange, readWrite };

if (require.main === module) {
    shim.server(new Raw(), { ccid: 'bench:1', address: process.argv[2] }).start();
}
