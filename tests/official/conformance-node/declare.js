// The decorators of fabric-contract-api, applied without TypeScript.
'use strict';

const { Param, Returns, Transaction } = require('fabric-contract-api');

/** Declare a transaction function: parameters as [name, type] pairs; no `returns`: nothing. */
function declare(contract, name, { submit = true, parameters = [], returns } = {}) {
    const target = contract.prototype;
    // First: it would replace the parameters.
    Transaction(submit)(target, name);
    for (const [parameter, type] of parameters) {
        Param(parameter, type)(target, name);
    }
    if (returns) {
        Returns(returns)(target, name);
    }
}

/** The names of a method's parameters, without the context. */
function parameterNames(method) {
    const source = method.toString();
    const [, ...names] = source.slice(source.indexOf('(') + 1, source.indexOf(')')).split(', ');
    return names;
}

module.exports = { declare, parameterNames };
