package main

import (
	"fmt"

	"github.com/hyperledger/fabric-gateway/pkg/client"
)

type rebuildCase struct {
	Kind      string
	Bytes     []byte
	Signature []byte
}

func rebuild(gateway *client.Gateway, item rebuildCase) (map[string]any, error) {
	switch item.Kind {
	case "proposal":
		return rebuilt(item, gateway.NewProposal, gateway.NewSignedProposal, func(p *client.Proposal) error {
			if _, err := p.Evaluate(); err != nil {
				return err
			}
			_, err := p.Endorse()
			return err
		})
	case "transaction":
		return rebuilt(item, gateway.NewTransaction, gateway.NewSignedTransaction, func(t *client.Transaction) error {
			_, err := t.Submit()
			return err
		})
	case "commit":
		return rebuilt(item, gateway.NewCommit, gateway.NewSignedCommit, func(c *client.Commit) error {
			_, err := c.Status()
			return err
		})
	case "chaincode_events":
		return rebuilt(item, gateway.NewChaincodeEventsRequest, gateway.NewSignedChaincodeEventsRequest,
			func(r *client.ChaincodeEventsRequest) error { return receive(r.Events) })
	case "block_events":
		return rebuilt(item, gateway.NewBlockEventsRequest, gateway.NewSignedBlockEventsRequest,
			func(r *client.BlockEventsRequest) error { return receive(r.Events) })
	case "filtered_block_events":
		return rebuilt(item, gateway.NewFilteredBlockEventsRequest, gateway.NewSignedFilteredBlockEventsRequest,
			func(r *client.FilteredBlockEventsRequest) error { return receive(r.Events) })
	case "block_and_private_data_events":
		return rebuilt(item, gateway.NewBlockAndPrivateDataEventsRequest, gateway.NewSignedBlockAndPrivateDataEventsRequest,
			func(r *client.BlockAndPrivateDataEventsRequest) error { return receive(r.Events) })
	}
	return nil, fmt.Errorf("no such kind: %s", item.Kind)
}

func rebuilt[T signable](
	item rebuildCase,
	plain func([]byte) (T, error),
	signed func([]byte, []byte) (T, error),
	send func(T) error,
) (map[string]any, error) {
	unsigned, err := plain(item.Bytes)
	if err != nil {
		return nil, err
	}
	complete, err := signed(item.Bytes, item.Signature)
	if err != nil {
		return nil, err
	}
	if err = send(complete); err != nil {
		return nil, err
	}
	made := map[string]any{}
	if made["unsigned"], err = vector(unsigned); err != nil {
		return nil, err
	}
	made["signed"], err = vector(complete)
	return made, err
}
