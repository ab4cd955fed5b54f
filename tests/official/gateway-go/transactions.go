package main

import (
	"encoding/json"

	"github.com/hyperledger/fabric-gateway/pkg/client"
)

type transactionCase struct {
	Channel       string
	Chaincode     string
	Contract      *string
	Function      string
	Args          [][]byte
	Transient     []transientItem
	Organizations []string
}

// transientItem is a pair in JSON: key and value.
type transientItem struct {
	key   string
	value []byte
}

func (item *transientItem) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&item.key, &item.value})
}

func transact(gateway *client.Gateway, item transactionCase) (map[string]any, error) {
	network := gateway.GetNetwork(item.Channel)
	contract := network.GetContract(item.Chaincode)
	if item.Contract != nil {
		contract = network.GetContractWithName(item.Chaincode, *item.Contract)
	}
	transient := map[string][]byte{}
	for _, entry := range item.Transient {
		transient[entry.key] = entry.value
	}
	proposal, err := contract.NewProposal(item.Function,
		client.WithBytesArguments(item.Args...),
		client.WithTransient(transient),
		client.WithEndorsingOrganizations(item.Organizations...))
	if err != nil {
		return nil, err
	}
	made := map[string]any{"transaction_id": proposal.TransactionID()}
	if made["proposal"], err = vector(proposal); err != nil {
		return nil, err
	}
	if _, err = proposal.Evaluate(); err != nil {
		return nil, err
	}
	transaction, err := proposal.Endorse()
	if err != nil {
		return nil, err
	}
	if made["transaction"], err = vector(transaction); err != nil {
		return nil, err
	}
	commit, err := transaction.Submit()
	if err != nil {
		return nil, err
	}
	if _, err = commit.Status(); err != nil {
		return nil, err
	}
	made["commit"], err = vector(commit)
	return made, err
}
