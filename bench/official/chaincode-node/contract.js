// What bench/chaincodes.py has in Python, on fabric-contract-api; served by fabric-shim's command.
'use strict';

const { Contract } = require('fabric-contract-api');
const { readRange, readWrite } = require('./raw');

class Api extends Contract {
    async ReadWrite(context, size) {
        return String(await readWrite(context.stub, Number(size)));
    }

    async Range(context, _size) {
        return String(await readRange(context.stub));
    }
}

module.exports.contracts = [Api];
