package main

import (
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// decoded counts what was found, so that the clients' work can be compared.
type decoded struct {
	transactions, keys, values int
}

// decode takes a block apart: ids, codes, creator and endorsers, function, response, event, and
// every read, write and hash.
func decode(content []byte) decoded {
	found := decoded{}
	block := &common.Block{}
	parse(content, block)
	codes := block.GetMetadata().GetMetadata()[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
	for index, data := range block.GetData().GetData() {
		envelope, payload := &common.Envelope{}, &common.Payload{}
		parse(data, envelope)
		parse(envelope.GetPayload(), payload)
		channel, signature := &common.ChannelHeader{}, &common.SignatureHeader{}
		parse(payload.GetHeader().GetChannelHeader(), channel)
		parse(payload.GetHeader().GetSignatureHeader(), signature)
		found.identity(signature.GetCreator())
		found.transactions++
		found.keys += len(channel.GetTxId()) + len(channel.GetChannelId())
		if peer.TxValidationCode(codes[index]) == peer.TxValidationCode_VALID {
			found.keys++
		}
		if common.HeaderType(channel.GetType()) != common.HeaderType_ENDORSER_TRANSACTION {
			continue
		}
		transaction := &peer.Transaction{}
		parse(payload.GetData(), transaction)
		for _, action := range transaction.GetActions() {
			found.action(action)
		}
	}
	return found
}

func (d *decoded) action(action *peer.TransactionAction) {
	payload := &peer.ChaincodeActionPayload{}
	parse(action.GetPayload(), payload)
	proposal, invocation := &peer.ChaincodeProposalPayload{}, &peer.ChaincodeInvocationSpec{}
	parse(payload.GetChaincodeProposalPayload(), proposal)
	parse(proposal.GetInput(), invocation)
	for _, argument := range invocation.GetChaincodeSpec().GetInput().GetArgs() {
		d.values += len(argument)
	}
	for _, endorsement := range payload.GetAction().GetEndorsements() {
		d.identity(endorsement.GetEndorser())
		d.values += len(endorsement.GetSignature())
	}
	response, chaincode := &peer.ProposalResponsePayload{}, &peer.ChaincodeAction{}
	parse(payload.GetAction().GetProposalResponsePayload(), response)
	parse(response.GetExtension(), chaincode)
	d.keys += len(chaincode.GetChaincodeId().GetName()) + int(chaincode.GetResponse().GetStatus())
	d.values += len(chaincode.GetResponse().GetPayload())
	if len(chaincode.GetEvents()) > 0 {
		event := &peer.ChaincodeEvent{}
		parse(chaincode.GetEvents(), event)
		d.keys += len(event.GetEventName())
		d.values += len(event.GetPayload())
	}
	sets := &rwset.TxReadWriteSet{}
	parse(chaincode.GetResults(), sets)
	for _, namespace := range sets.GetNsRwset() {
		d.keys += len(namespace.GetNamespace())
		public := &kvrwset.KVRWSet{}
		parse(namespace.GetRwset(), public)
		for _, read := range public.GetReads() {
			d.keys += len(read.GetKey())
		}
		for _, write := range public.GetWrites() {
			d.keys += len(write.GetKey())
			d.values += len(write.GetValue())
		}
		for _, collection := range namespace.GetCollectionHashedRwset() {
			d.keys += len(collection.GetCollectionName())
			hashed := &kvrwset.HashedRWSet{}
			parse(collection.GetHashedRwset(), hashed)
			for _, read := range hashed.GetHashedReads() {
				d.keys += len(read.GetKeyHash())
			}
			for _, write := range hashed.GetHashedWrites() {
				d.keys += len(write.GetKeyHash())
				d.values += len(write.GetValueHash())
			}
		}
	}
}

func (d *decoded) identity(content []byte) {
	identity := &msp.SerializedIdentity{}
	parse(content, identity)
	d.keys += len(identity.GetMspid())
	d.values += len(identity.GetIdBytes())
}

func parse(content []byte, message proto.Message) {
	check(proto.Unmarshal(content, message))
}
