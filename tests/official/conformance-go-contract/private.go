package main

import (
	"encoding/hex"
	"errors"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/statebased"
)

func (*Ledger) PrivateGet(ctx context, collection string, key string) (string, error) {
	value, err := ctx.GetStub().GetPrivateData(collection, key)
	return hex.EncodeToString(value), err
}

func (*Ledger) PrivateGetMany(ctx context, collection string, keys string) (string, error) {
	values, err := ctx.GetStub().GetMultiplePrivateData(collection, list(keys)...)
	return hexadecimals(values), err
}

func (*Ledger) PrivateHash(ctx context, collection string, key string) (string, error) {
	value, err := ctx.GetStub().GetPrivateDataHash(collection, key)
	return hex.EncodeToString(value), err
}

func (*Ledger) PrivatePut(ctx context, collection string, key string) error {
	transient, err := ctx.GetStub().GetTransient()
	if err != nil {
		return err
	}
	return ctx.GetStub().PutPrivateData(collection, key, transient["value"])
}

func (*Ledger) PrivateDelete(ctx context, collection string, key string) error {
	return ctx.GetStub().DelPrivateData(collection, key)
}

func (*Ledger) PrivatePurge(ctx context, collection string, key string) error {
	return ctx.GetStub().PurgePrivateData(collection, key)
}

func (*Ledger) PrivateRange(ctx context, collection string, start string, end string) (string, error) {
	results, err := ctx.GetStub().GetPrivateDataByRange(collection, start, end)
	return collect(results, err, 0)
}

func (*Ledger) PrivatePartial(ctx context, collection string, kind string, attributes string) (string, error) {
	results, err := ctx.GetStub().GetPrivateDataByPartialCompositeKey(collection, kind, list(attributes))
	return collect(results, err, 0)
}

func (*Ledger) PrivateQuery(ctx context, collection string, query string) (string, error) {
	results, err := ctx.GetStub().GetPrivateDataQueryResult(collection, query)
	return collect(results, err, 0)
}

// Policy is the validation parameter that these organisations' role makes.
func (*Ledger) Policy(ctx context, role string, organizations string) (string, error) {
	policy, err := statebased.NewStateEP(nil)
	if err != nil {
		return "", err
	}
	if err := policy.AddOrgs(statebased.RoleType(role), list(organizations)...); err != nil {
		return "", err
	}
	parameter, err := policy.Policy()
	return hex.EncodeToString(parameter), err
}

// PolicyWithout is the parameter after an organisation was taken out of it.
func (*Ledger) PolicyWithout(ctx context, parameter string, organization string) (string, error) {
	policy, err := statebased.NewStateEP(bytes(parameter))
	if err != nil {
		return "", err
	}
	policy.DelOrgs(organization)
	changed, err := policy.Policy()
	return hex.EncodeToString(changed), err
}

func (*Ledger) SetPolicy(ctx context, key string, parameter string) error {
	return ctx.GetStub().SetStateValidationParameter(key, bytes(parameter))
}

// Mixed writes values and policies, public and private, some of them twice.
func (*Ledger) Mixed(ctx context, collection string, key string, parameter string) error {
	transient, err := ctx.GetStub().GetTransient()
	if err != nil {
		return err
	}
	stub, policy := ctx.GetStub(), bytes(parameter)
	return errors.Join(
		stub.PutState(key, []byte("1")),
		stub.SetStateValidationParameter(key, nil),
		stub.PutPrivateData(collection, key, []byte("1")),
		stub.SetPrivateDataValidationParameter(collection, key, policy),
		stub.SetStateValidationParameter(key, policy),
		stub.PutState(key, []byte("2")),
		stub.PutPrivateData(collection, key, transient["value"]),
		stub.DelState("b"),
		stub.DelPrivateData(collection, "p3"),
	)
}

func (*Ledger) GetPolicy(ctx context, key string) (string, error) {
	parameter, err := ctx.GetStub().GetStateValidationParameter(key)
	return hex.EncodeToString(parameter), err
}

func (*Ledger) PrivateSetPolicy(ctx context, collection string, key string, parameter string) error {
	return ctx.GetStub().SetPrivateDataValidationParameter(collection, key, bytes(parameter))
}

func (*Ledger) PrivateGetPolicy(ctx context, collection string, key string) (string, error) {
	parameter, err := ctx.GetStub().GetPrivateDataValidationParameter(collection, key)
	return hex.EncodeToString(parameter), err
}
