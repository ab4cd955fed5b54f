package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
)

const collection = "shared"

// Asset has its fields in the alphabet's order: one value, one form, whatever language wrote it.
type Asset struct {
	ID      string `json:"id"`
	Lot     string `json:"lot"`
	Owner   string `json:"owner"`
	Units   int    `json:"units"`
	Version int    `json:"version"`
}

// Assets is the contract.
type Assets struct {
	contractapi.Contract
}

// GetEvaluateTransactions is what the metadata tags as evaluate.
func (*Assets) GetEvaluateTransactions() []string {
	return []string{"Read", "List", "Price"}
}

func (*Assets) Fill(ctx contractapi.TransactionContextInterface, prefix string, count int) error {
	for number := range count {
		asset := &Asset{
			ID:      fmt.Sprintf("%s%05d", prefix, number),
			Lot:     fmt.Sprintf("L%d", number%10),
			Owner:   "maker",
			Units:   100 + number%50,
			Version: 1,
		}
		if err := save(ctx, asset); err != nil {
			return err
		}
	}
	return nil
}

func (*Assets) Read(ctx contractapi.TransactionContextInterface, id string) (*Asset, error) {
	return load(ctx, id)
}

func (*Assets) List(
	ctx contractapi.TransactionContextInterface, start string, end string,
) ([]*Asset, error) {
	rows, err := ctx.GetStub().GetStateByRange(start, end)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []*Asset{}
	for rows.HasNext() {
		row, err := rows.Next()
		if err != nil {
			return nil, err
		}
		asset := &Asset{}
		if err := json.Unmarshal(row.GetValue(), asset); err != nil {
			return nil, err
		}
		found = append(found, asset)
	}
	return found, nil
}

func (*Assets) Transfer(
	ctx contractapi.TransactionContextInterface, id string, owner string, units int,
) (*Asset, error) {
	transient, err := ctx.GetStub().GetTransient()
	if err != nil {
		return nil, err
	}
	asset, err := load(ctx, id)
	if err != nil {
		return nil, err
	}
	if units > asset.Units {
		return nil, fmt.Errorf("asset %s has %d units", id, asset.Units)
	}
	asset.Owner = owner
	asset.Units -= units
	asset.Version++
	if err := save(ctx, asset); err != nil {
		return nil, err
	}
	return asset, ctx.GetStub().PutPrivateData(collection, id, transient["price"])
}

func (*Assets) Price(ctx contractapi.TransactionContextInterface, id string) (string, error) {
	price, err := ctx.GetStub().GetPrivateData(collection, id)
	return string(price), err
}

func load(ctx contractapi.TransactionContextInterface, id string) (*Asset, error) {
	state, err := ctx.GetStub().GetState(id)
	if err != nil {
		return nil, err
	}
	if state == nil {
		return nil, fmt.Errorf("there is no asset %s", id)
	}
	asset := &Asset{}
	return asset, json.Unmarshal(state, asset)
}

func save(ctx contractapi.TransactionContextInterface, asset *Asset) error {
	state, err := json.Marshal(asset)
	if err != nil {
		return err
	}
	return ctx.GetStub().PutState(asset.ID, state)
}

func serve() {
	contract := new(Assets)
	contract.Name = "assets"
	chaincode, err := contractapi.NewChaincode(contract)
	check(err)
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
	check(err)
	return content
}
