// Takes a block apart: creator and endorsers, function, response, event, and every read, write
// and hash; counts what was found, so that the clients' work can be compared.
'use strict';

const { common, ledger, msp, peer } = require('@hyperledger/fabric-protos');

const { kvrwset } = ledger.rwset;

function decode(content) {
    const found = { transactions: 0, keys: 0, values: 0 };
    const block = common.Block.deserializeBinary(content);
    for (const data of block.getData().getDataList_asU8()) {
        const envelope = common.Envelope.deserializeBinary(data);
        const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
        const header = payload.getHeader();
        const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
        const signature = common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8());
        msp.SerializedIdentity.deserializeBinary(signature.getCreator_asU8());
        found.transactions++;
        if (channel.getType() !== common.HeaderType.ENDORSER_TRANSACTION) {
            continue;
        }
        const transaction = peer.Transaction.deserializeBinary(payload.getData_asU8());
        for (const action of transaction.getActionsList()) {
            decodeAction(action, found);
        }
    }
    return found;
}

function decodeAction(action, found) {
    const payload = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
    const proposal = peer.ChaincodeProposalPayload.deserializeBinary(
        payload.getChaincodeProposalPayload_asU8());
    peer.ChaincodeInvocationSpec.deserializeBinary(proposal.getInput_asU8());
    for (const endorsement of payload.getAction().getEndorsementsList()) {
        msp.SerializedIdentity.deserializeBinary(endorsement.getEndorser_asU8());
    }
    const response = peer.ProposalResponsePayload.deserializeBinary(
        payload.getAction().getProposalResponsePayload_asU8());
    const chaincode = peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8());
    if (chaincode.getEvents_asU8().length > 0) {
        peer.ChaincodeEvent.deserializeBinary(chaincode.getEvents_asU8());
    }
    const sets = ledger.rwset.TxReadWriteSet.deserializeBinary(chaincode.getResults_asU8());
    for (const namespace of sets.getNsRwsetList()) {
        const visible = kvrwset.KVRWSet.deserializeBinary(namespace.getRwset_asU8());
        for (const read of visible.getReadsList()) {
            found.keys += Buffer.byteLength(read.getKey());
        }
        for (const write of visible.getWritesList()) {
            found.keys += Buffer.byteLength(write.getKey());
            found.values += write.getValue_asU8().length;
        }
        for (const collection of namespace.getCollectionHashedRwsetList()) {
            const hashed = kvrwset.HashedRWSet.deserializeBinary(collection.getHashedRwset_asU8());
            for (const read of hashed.getHashedReadsList()) {
                found.keys += read.getKeyHash_asU8().length;
            }
            for (const write of hashed.getHashedWritesList()) {
                found.keys += write.getKeyHash_asU8().length;
                found.values += write.getValueHash_asU8().length;
            }
        }
    }
}

module.exports = { decode };
