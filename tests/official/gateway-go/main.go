// What the official Go client makes of a table of cases: JSON in on stdin, JSON out on stdout.
// What it sends goes to the server at `address`, which keeps it. See tests/unit/gateway/official_bytes.py.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

type input struct {
	Address            string
	MspID              string `json:"msp_id"`
	Certificate        string
	Hash               string
	TLSCertificateHash []byte `json:"tls_certificate_hash"`
	Transactions       []transactionCase
	Events             []eventsCase
	Rebuild            []rebuildCase
	Sign               []signCase
}

type output struct {
	Transactions []map[string]any `json:"transactions"`
	Events       []map[string]any `json:"events"`
	Rebuilt      []map[string]any `json:"rebuilt"`
	Signed       []map[string]any `json:"signed"`
}

type identity struct {
	mspID       string
	credentials []byte
}

func (id *identity) MspID() string       { return id.mspID }
func (id *identity) Credentials() []byte { return id.credentials }

// The same for the same digest, so that whole messages can be compared.
func sign(digest []byte) ([]byte, error) {
	return append([]byte("signed "), digest...), nil
}

var hashes = map[string]hash.Hash{
	"none": hash.NONE, "sha256": hash.SHA256, "sha384": hash.SHA384,
	"sha3_256": hash.SHA3_256, "sha3_384": hash.SHA3_384,
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	if len(os.Args) == 3 && os.Args[1] == "checkpoint" {
		return useCheckpointFile(os.Args[2])
	}
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	connection, err := grpc.NewClient(
		"passthrough:///"+in.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	options := []client.ConnectOption{
		client.WithClientConnection(connection),
		client.WithHash(hashes[in.Hash]),
		client.WithTLSClientCertificateHash(in.TLSCertificateHash),
	}
	id := &identity{in.MspID, []byte(in.Certificate)}
	unsigned, err := client.Connect(id, options...)
	if err != nil {
		return err
	}
	gateway, err := client.Connect(id, append(options, client.WithSign(sign))...)
	if err != nil {
		return err
	}
	var out output
	if out.Transactions, err = each(in.Transactions, func(item transactionCase) (map[string]any, error) {
		return transact(gateway, item)
	}); err != nil {
		return fmt.Errorf("transactions: %w", err)
	}
	if out.Events, err = each(in.Events, func(item eventsCase) (map[string]any, error) {
		return listen(gateway.GetNetwork(item.Channel), item)
	}); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if out.Rebuilt, err = each(in.Rebuild, func(item rebuildCase) (map[string]any, error) {
		return rebuild(unsigned, item)
	}); err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	if out.Signed, err = each(in.Sign, signWithKey); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func each[T any](items []T, work func(T) (map[string]any, error)) ([]map[string]any, error) {
	results := []map[string]any{}
	for _, item := range items {
		result, err := work(item)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

type signable interface {
	Bytes() ([]byte, error)
	Digest() []byte
}

func vector(message signable) (map[string]any, error) {
	bytes, err := message.Bytes()
	return map[string]any{"bytes": bytes, "digest": message.Digest()}, err
}
