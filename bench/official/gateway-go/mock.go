package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
)

var result = []byte(`{"answer":"what every call must give back"}`)

type server struct {
	gateway.UnimplementedGatewayServer
	peer.UnimplementedDeliverServer
	data   []byte // the transaction of every prepared envelope
	blocks []*common.Block
}

// serve is a peer's Gateway and Deliver services that answer at once: every client meets the same
// server, and the server is never what a client waits for. It prints the address that it listens
// on, and serves until standard input ends. A Deliver stream repeats the blocks, numbered from 0.
func serve(certificateFile, keyFile, blocksFile string) {
	certificate, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	service := &server{data: transaction(), blocks: readBlocks(blocksFile)}
	grpcServer := grpc.NewServer(
		grpc.Creds(credentials.NewServerTLSFromCert(&certificate)),
		grpc.MaxSendMsgSize(100<<20), grpc.MaxRecvMsgSize(100<<20),
	)
	gateway.RegisterGatewayServer(grpcServer, service)
	peer.RegisterDeliverServer(grpcServer, service)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println(listener.Addr())
	check(grpcServer.Serve(listener))
}

func (s *server) Evaluate(_ context.Context, _ *gateway.EvaluateRequest) (*gateway.EvaluateResponse, error) {
	return &gateway.EvaluateResponse{Result: &peer.Response{Status: 200, Payload: result}}, nil
}

func (s *server) Endorse(_ context.Context, request *gateway.EndorseRequest) (*gateway.EndorseResponse, error) {
	proposal := &peer.Proposal{}
	if err := proto.Unmarshal(request.GetProposedTransaction().GetProposalBytes(), proposal); err != nil {
		return nil, err
	}
	header := &common.Header{}
	if err := proto.Unmarshal(proposal.GetHeader(), header); err != nil {
		return nil, err
	}
	payload, err := proto.Marshal(&common.Payload{Header: header, Data: s.data})
	if err != nil {
		return nil, err
	}
	return &gateway.EndorseResponse{PreparedTransaction: &common.Envelope{Payload: payload}}, nil
}

func (s *server) Submit(_ context.Context, _ *gateway.SubmitRequest) (*gateway.SubmitResponse, error) {
	return &gateway.SubmitResponse{}, nil
}

func (s *server) CommitStatus(_ context.Context, _ *gateway.SignedCommitStatusRequest) (*gateway.CommitStatusResponse, error) {
	return &gateway.CommitStatusResponse{Result: peer.TxValidationCode_VALID, BlockNumber: 7}, nil
}

func (s *server) Deliver(stream peer.Deliver_DeliverServer) error {
	envelope, err := stream.Recv()
	if err != nil {
		return err
	}
	payload, seek := &common.Payload{}, &orderer.SeekInfo{}
	if err := proto.Unmarshal(envelope.GetPayload(), payload); err != nil {
		return err
	}
	if err := proto.Unmarshal(payload.GetData(), seek); err != nil {
		return err
	}
	first := seek.GetStart().GetSpecified().GetNumber()
	last := seek.GetStop().GetSpecified().GetNumber()
	for number := first; number <= last && stream.Context().Err() == nil; number++ {
		block := s.blocks[number%uint64(len(s.blocks))]
		numbered := &common.Block{
			Header: &common.BlockHeader{
				Number:       number,
				PreviousHash: block.GetHeader().GetPreviousHash(),
				DataHash:     block.GetHeader().GetDataHash(),
			},
			Data:     block.GetData(),
			Metadata: block.GetMetadata(),
		}
		response := &peer.DeliverResponse{Type: &peer.DeliverResponse_Block{Block: numbered}}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
	return stream.Send(&peer.DeliverResponse{
		Type: &peer.DeliverResponse_Status{Status: common.Status_SUCCESS},
	})
}

// transaction is the part of a prepared transaction that carries the result.
func transaction() []byte {
	action := marshal(&peer.ChaincodeAction{Response: &peer.Response{Status: 200, Payload: result}})
	endorsed := marshal(&peer.ChaincodeActionPayload{Action: &peer.ChaincodeEndorsedAction{
		ProposalResponsePayload: marshal(&peer.ProposalResponsePayload{Extension: action}),
		Endorsements: []*peer.Endorsement{
			{Endorser: make([]byte, 900), Signature: make([]byte, 71)},
			{Endorser: make([]byte, 900), Signature: make([]byte, 71)},
		},
	}})
	return marshal(&peer.Transaction{Actions: []*peer.TransactionAction{{Payload: endorsed}}})
}
