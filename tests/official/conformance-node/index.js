'use strict';

const { Ledger } = require('./ledger.js');
const { Colon, Hooks, Types } = require('./types.js');

module.exports.contracts = [Ledger, Types, Hooks, Colon];
