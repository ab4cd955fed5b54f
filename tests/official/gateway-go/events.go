package main

import (
	"context"
	"errors"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"google.golang.org/grpc"
)

type eventsCase struct {
	Channel          string
	Chaincode        string
	StartBlock       *uint64 `json:"start_block"`
	AfterTransaction string  `json:"after_transaction"`
}

type checkpoint struct {
	block       uint64
	transaction string
}

func (c *checkpoint) BlockNumber() uint64   { return c.block }
func (c *checkpoint) TransactionID() string { return c.transaction }

func listen(network *client.Network, item eventsCase) (map[string]any, error) {
	made := map[string]any{}
	blocks := []client.BlockEventsOption{}
	chaincode := []client.ChaincodeEventsOption{}
	if item.StartBlock != nil {
		blocks = append(blocks, client.WithStartBlock(*item.StartBlock))
		chaincode = append(chaincode, client.WithStartBlock(*item.StartBlock))
	}
	if item.AfterTransaction != "" {
		chaincode = append(chaincode, client.WithCheckpoint(&checkpoint{*item.StartBlock, item.AfterTransaction}))
	}
	events, err := network.NewChaincodeEventsRequest(item.Chaincode, chaincode...)
	if err != nil {
		return nil, err
	}
	full, err := network.NewBlockEventsRequest(blocks...)
	if err != nil {
		return nil, err
	}
	filtered, err := network.NewFilteredBlockEventsRequest(blocks...)
	if err != nil {
		return nil, err
	}
	private, err := network.NewBlockAndPrivateDataEventsRequest(blocks...)
	if err != nil {
		return nil, err
	}
	// In this order, in which the test expects them on the wire.
	for _, request := range []struct {
		kind string
		signable
		receive func() error
	}{
		{"chaincode_events", events, func() error { return receive(events.Events) }},
		{"block_events", full, func() error { return receive(full.Events) }},
		{"filtered_block_events", filtered, func() error { return receive(filtered.Events) }},
		{"block_and_private_data_events", private, func() error { return receive(private.Events) }},
	} {
		if err := request.receive(); err != nil {
			return nil, err
		}
		if made[request.kind], err = vector(request); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// receive takes the one event that the server sends.
func receive[T any](open func(context.Context, ...grpc.CallOption) (<-chan T, error)) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events, err := open(ctx)
	if err != nil {
		return err
	}
	if _, open := <-events; !open {
		return errors.New("the stream has ended without an event")
	}
	return nil
}
