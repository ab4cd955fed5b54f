package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"os"
	"strconv"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var value = bytes.Repeat([]byte("v"), 100)

// load is a peer that calls a chaincode. After the warm-up it prints "warm" and waits for a line;
// after the rest it prints "done" with the seconds that they took, and waits for another one, so
// that the caller can look at the chaincode's CPU at both moments.
func load(address, function string, size, concurrency, warmup, count int) {
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(100<<20), grpc.MaxCallSendMsgSize(100<<20)))
	check(err)
	stream, err := peer.NewChaincodeClient(connection).Connect(
		context.Background(), grpc.WaitForReady(true))
	check(err)
	d := &driver{
		stream:   stream,
		input:    marshal(&peer.ChaincodeInput{Args: [][]byte{[]byte(function), []byte(strconv.Itoa(size))}}),
		proposal: signedProposal(),
		rows:     rangeRows(),
		writes:   make(map[string]int),
	}
	d.wantedWrites, d.wantedResult = size, strconv.Itoa(size*len(value))
	if function == "Range" {
		d.wantedWrites, d.wantedResult = 0, strconv.Itoa(100*len(value))
	}
	d.handshake()
	lines := bufio.NewScanner(os.Stdin)
	d.run(concurrency, warmup)
	fmt.Println("warm")
	lines.Scan()
	began := time.Now()
	d.run(concurrency, count)
	fmt.Println("done", time.Since(began).Seconds())
	lines.Scan()
}

// driver plays the peer on one stream: one goroutine, so nothing needs a lock.
type driver struct {
	stream       peer.Chaincode_ConnectClient
	input        []byte
	proposal     *peer.SignedProposal
	rows         []byte
	last         int
	writes       map[string]int
	wantedWrites int
	wantedResult string
}

func (d *driver) handshake() {
	register := d.receive()
	if register.GetType() != peer.ChaincodeMessage_REGISTER {
		log.Fatal("the chaincode did not register")
	}
	d.send(&peer.ChaincodeMessage{Type: peer.ChaincodeMessage_REGISTERED})
	d.send(&peer.ChaincodeMessage{
		Type: peer.ChaincodeMessage_READY,
		Payload: marshal(&peer.ChaincodeAdditionalParams{
			UseWriteBatch: true, MaxSizeWriteBatch: 1000,
			UseGetMultipleKeys: true, MaxSizeGetMultipleKeys: 1000,
		}),
	})
}

// run makes so many transactions, with that many at a time.
func (d *driver) run(concurrency, count int) {
	started, ended := 0, 0
	for started < min(concurrency, count) {
		d.begin()
		started++
	}
	for ended < count {
		message := d.receive()
		if message.GetType() != peer.ChaincodeMessage_COMPLETED {
			d.answer(message)
			continue
		}
		d.complete(message)
		ended++
		if started < count {
			d.begin()
			started++
		}
	}
}

func (d *driver) begin() {
	d.last++
	id := fmt.Sprintf("%064x", d.last)
	d.writes[id] = 0
	d.send(&peer.ChaincodeMessage{
		Type:      peer.ChaincodeMessage_TRANSACTION,
		ChannelId: "bench",
		Txid:      id,
		Payload:   d.input,
		Proposal:  d.proposal,
		Timestamp: timestamppb.Now(),
	})
}

func (d *driver) complete(message *peer.ChaincodeMessage) {
	response := &peer.Response{}
	check(proto.Unmarshal(message.GetPayload(), response))
	writes, open := d.writes[message.GetTxid()]
	if !open || response.GetStatus() != 200 || string(response.GetPayload()) != d.wantedResult {
		log.Fatalf("transaction %s went wrong: %v", message.GetTxid(), response)
	}
	if writes != d.wantedWrites {
		log.Fatalf("transaction %s wrote %d keys", message.GetTxid(), writes)
	}
	delete(d.writes, message.GetTxid())
}

func (d *driver) answer(message *peer.ChaincodeMessage) {
	var payload []byte
	switch message.GetType() {
	case peer.ChaincodeMessage_GET_STATE:
		payload = value
	case peer.ChaincodeMessage_GET_STATE_MULTIPLE:
		request := &peer.GetStateMultiple{}
		check(proto.Unmarshal(message.GetPayload(), request))
		values := make([][]byte, len(request.GetKeys()))
		for i := range values {
			values[i] = value
		}
		payload = marshal(&peer.GetStateMultipleResult{Values: values})
	case peer.ChaincodeMessage_PUT_STATE:
		d.writes[message.GetTxid()]++
	case peer.ChaincodeMessage_WRITE_BATCH_STATE:
		request := &peer.WriteBatchState{}
		check(proto.Unmarshal(message.GetPayload(), request))
		d.writes[message.GetTxid()] += len(request.GetRec())
	case peer.ChaincodeMessage_GET_STATE_BY_RANGE:
		payload = d.rows
	case peer.ChaincodeMessage_QUERY_STATE_CLOSE:
		payload = marshal(&peer.QueryResponse{Id: "rows"})
	default:
		log.Fatalf("unexpected %s: %s", message.GetType(), message.GetPayload())
	}
	d.send(&peer.ChaincodeMessage{
		Type:      peer.ChaincodeMessage_RESPONSE,
		ChannelId: message.GetChannelId(),
		Txid:      message.GetTxid(),
		Payload:   payload,
	})
}

func (d *driver) send(message *peer.ChaincodeMessage) {
	check(d.stream.Send(message))
}

func (d *driver) receive() *peer.ChaincodeMessage {
	message, err := d.stream.Recv()
	check(err)
	return message
}

// rangeRows is what a peer answers to a range of 100 keys: all of it at once.
func rangeRows() []byte {
	response := &peer.QueryResponse{Id: "rows"}
	for i := range 100 {
		row := marshal(&queryresult.KV{Namespace: "bench", Key: fmt.Sprintf("a%03d", i), Value: value})
		response.Results = append(response.Results, &peer.QueryResultBytes{ResultBytes: row})
	}
	return marshal(response)
}

// signedProposal is what a peer hands on of its client; shims take it apart.
func signedProposal() *peer.SignedProposal {
	creator := marshal(&msp.SerializedIdentity{Mspid: "BenchMSP", IdBytes: certificate()})
	channel := marshal(&common.ChannelHeader{
		Type:      int32(common.HeaderType_ENDORSER_TRANSACTION),
		ChannelId: "bench",
		Timestamp: timestamppb.Now(),
	})
	signature := marshal(&common.SignatureHeader{Creator: creator, Nonce: make([]byte, 24)})
	header := marshal(&common.Header{ChannelHeader: channel, SignatureHeader: signature})
	call := &peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		ChaincodeId: &peer.ChaincodeID{Name: "bench"},
	}}
	payload := marshal(&peer.ChaincodeProposalPayload{Input: marshal(call)})
	return &peer.SignedProposal{
		ProposalBytes: marshal(&peer.Proposal{Header: header, Payload: payload}),
		Signature:     make([]byte, 71),
	}
}

// certificate is a client's: contract APIs read it.
func certificate() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "user", OrganizationalUnit: []string{"client"}},
		NotBefore:    time.Now(),
		NotAfter:     time.Now().Add(time.Hour),
	}
	content, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: content})
}

func marshal(message proto.Message) []byte {
	content, err := proto.Marshal(message)
	check(err)
	return content
}
