// Takes a block apart: ids, codes, creator and endorsers, function, response, event, and every
// read, write and hash; counts what was found, so that the clients' work can be compared.
'use strict';

const { common, ledger, msp, peer } = require('@hyperledger/fabric-protos');

const { kvrwset } = ledger.rwset;

function decode(content) {
    const found = { transactions: 0, keys: 0, values: 0 };
    const block = common.Block.deserializeBinary(content);
    const codes = block.getMetadata().getMetadataList_asU8()[common.BlockMetadataIndex.TRANSACTIONS_FILTER];
    for (const [index, data] of block.getData().getDataList_asU8().entries()) {
        const envelope = common.Envelope.deserializeBinary(data);
        const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
        const header = payload.getHeader();
        const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
        const signature = common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8());
        countIdentity(signature.getCreator_asU8(), found);
        found.transactions++;
        found.keys += channel.getTxId().length + channel.getChannelId().length;
        found.keys += codes[index] === peer.TxValidationCode.VALID ? 1 : 0;
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
    const spec = peer.ChaincodeInvocationSpec.deserializeBinary(proposal.getInput_asU8());
    for (const argument of spec.getChaincodeSpec().getInput().getArgsList_asU8()) {
        found.values += argument.length;
    }
    for (const endorsement of payload.getAction().getEndorsementsList()) {
        countIdentity(endorsement.getEndorser_asU8(), found);
        found.values += endorsement.getSignature_asU8().length;
    }
    const response = peer.ProposalResponsePayload.deserializeBinary(
        payload.getAction().getProposalResponsePayload_asU8());
    const chaincode = peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8());
    found.keys += chaincode.getChaincodeId().getName().length + chaincode.getResponse().getStatus();
    found.values += chaincode.getResponse().getPayload_asU8().length;
    if (chaincode.getEvents_asU8().length > 0) {
        const event = peer.ChaincodeEvent.deserializeBinary(chaincode.getEvents_asU8());
        found.keys += event.getEventName().length;
        found.values += event.getPayload_asU8().length;
    }
    const sets = ledger.rwset.TxReadWriteSet.deserializeBinary(chaincode.getResults_asU8());
    for (const namespace of sets.getNsRwsetList()) {
        found.keys += namespace.getNamespace().length;
        const visible = kvrwset.KVRWSet.deserializeBinary(namespace.getRwset_asU8());
        for (const read of visible.getReadsList()) {
            found.keys += read.getKey().length;
        }
        for (const write of visible.getWritesList()) {
            found.keys += write.getKey().length;
            found.values += write.getValue_asU8().length;
        }
        for (const collection of namespace.getCollectionHashedRwsetList()) {
            found.keys += collection.getCollectionName().length;
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

function countIdentity(content, found) {
    const identity = msp.SerializedIdentity.deserializeBinary(content);
    found.keys += identity.getMspid().length;
    found.values += identity.getIdBytes_asU8().length;
}

module.exports = { decode };
