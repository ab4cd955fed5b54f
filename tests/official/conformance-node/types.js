'use strict';

const { Context, Contract, Object: DataType, Property } = require('fabric-contract-api');
const { declare } = require('./declare.js');

class Part {}
Property('code', 'string')(Part.prototype, 'code');
Property('count', 'number')(Part.prototype, 'count');
DataType()(Part);

class Item {}
Property('name', 'string')(Item.prototype, 'name');
Property('count', 'number')(Item.prototype, 'count');
Property('ready', 'boolean')(Item.prototype, 'ready');
Property('tags', 'string[]')(Item.prototype, 'tags');
Property('main', 'Part')(Item.prototype, 'main');
Property('parts', 'Part[]')(Item.prototype, 'parts');
Property('labels', 'Map<string, string>')(Item.prototype, 'labels');
DataType()(Item);

class Extra {}
Property('code', 'string')(Extra.prototype, 'code');
Property('note', 'string')(Extra.prototype, 'note');
DataType()(Extra);

class Tree {}
Property('name', 'string')(Tree.prototype, 'name');
Property('children', 'Tree[]')(Tree.prototype, 'children');
DataType()(Tree);

/** Gives back what it is given. */
class Types extends Contract {

    constructor() {
        super('types');
    }

    async Nothing() {}

    async NoPart() {
        return null;
    }

    async Two(ctx, first, second) {
        return JSON.stringify([first, second]);
    }
}

const ECHOES = {
    Text: 'string',
    Whole: 'number',
    Flag: 'boolean',
    Texts: 'string[]',
    Wholes: 'number[]',
    Counts: 'Map<string, number>',
    Part: 'Part',
    Parts: 'Part[]',
    Item: 'Item',
    Extra: 'Extra',
    Tree: 'Tree',
};
for (const [name, type] of Object.entries(ECHOES)) {
    Types.prototype[name] = async (ctx, value) => value;
    declare(Types, name, { submit: false, parameters: [['value', type]], returns: type });
}
declare(Types, 'Nothing', { submit: false });
declare(Types, 'NoPart', { submit: false, returns: 'Part' });
declare(Types, 'Two', { parameters: [['first', 'string'], ['second', 'number']], returns: 'string' });

class NotedContext extends Context {}

/** All three hooks. */
class Hooks extends Contract {

    constructor() {
        super('hooks');
    }

    createContext() {
        return new NotedContext();
    }

    async beforeTransaction(ctx) {
        if (`${ctx.stub.getTransient().get('refuse')}` === 'before') {
            throw new Error('before refuses');
        }
        ctx.note = 'before';
    }

    async afterTransaction(ctx, result) {
        if (`${ctx.stub.getTransient().get('refuse')}` === 'after') {
            throw new Error('after refuses');
        }
        ctx.stub.setEvent('after', Buffer.from(result || ''));
    }

    async unknownTransaction(ctx) {
        if (ctx.stub.getFunctionAndParameters().fcn === 'hooks:Refused') {
            throw new Error('unknown refuses');
        }
        await ctx.stub.putState('unknown', Buffer.from('1'));
        return 'unknown';
    }

    async Note(ctx, value) {
        ctx.note += ' function';
        await ctx.stub.putState('hooks', Buffer.from(value));
        return `${ctx.note} ${value}`;
    }

    async Fail() {
        throw new Error('the function refuses');
    }
}
declare(Hooks, 'Note', { parameters: [['value', 'string']], returns: 'string' });
declare(Hooks, 'Fail');

/** A contract with a colon in its name. */
class Colon extends Contract {

    constructor() {
        super('org:colon');
    }

    async Where() {
        return 'colon';
    }
}
declare(Colon, 'Where', { returns: 'string' });

module.exports = { Colon, Hooks, Types };
