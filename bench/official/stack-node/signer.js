// A signer on Node's own ECDSA, which hashes by itself. Fabric wants the smaller of the two valid s.
'use strict';

const crypto = require('node:crypto');

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function nativeSigner(key) {
    return (message) => {
        const raw = crypto.sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
        let s = BigInt(`0x${raw.toString('hex', 32)}`);
        if (s > ORDER / 2n) {
            s = ORDER - s;
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

module.exports = { nativeSigner };
