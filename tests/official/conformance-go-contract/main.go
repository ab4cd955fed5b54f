// The conformance contract in Go, served as chaincode for `make conformance`.
package main

import (
	"log"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
)

func main() {
	ledger := new(Ledger)
	ledger.Name = "ledger"
	types := new(Types)
	types.Name = "types"
	hooks := new(Hooks)
	hooks.Name = "hooks"
	hooks.BeforeTransaction = before
	hooks.AfterTransaction = after
	hooks.UnknownTransaction = unknown
	hooks.TransactionContextHandler = new(NotedContext)
	colon := new(Colon)
	colon.Name = "org:colon"
	chaincode, err := contractapi.NewChaincode(ledger, types, hooks, colon)
	if err != nil {
		log.Fatal(err)
	}
	server := &shim.ChaincodeServer{
		CCID:    os.Getenv("CHAINCODE_ID"),
		Address: os.Getenv("CHAINCODE_SERVER_ADDRESS"),
		CC:      chaincode,
		TLSProps: shim.TLSProperties{
			Key:           file("CHAINCODE_TLS_KEY_FILE"),
			Cert:          file("CHAINCODE_TLS_CERT_FILE"),
			ClientCACerts: file("CHAINCODE_CLIENT_CA_CERT_FILE"),
		},
	}
	log.Fatal(server.Start())
}

func file(variable string) []byte {
	content, err := os.ReadFile(os.Getenv(variable))
	if err != nil {
		log.Fatal(err)
	}
	return content
}
