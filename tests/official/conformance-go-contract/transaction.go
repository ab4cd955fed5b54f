package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

func (*Ledger) Ids(ctx context) (string, error) {
	return encode([]string{ctx.GetStub().GetTxID(), ctx.GetStub().GetChannelID()}), nil
}

func (*Ledger) Creator(ctx context) (string, error) {
	creator, err := ctx.GetStub().GetCreator()
	return hex.EncodeToString(creator), err
}

func (*Ledger) Binding(ctx context) (string, error) {
	binding, err := ctx.GetStub().GetBinding()
	return hex.EncodeToString(binding), err
}

func (*Ledger) Milliseconds(ctx context) (int64, error) {
	timestamp, err := ctx.GetStub().GetTxTimestamp()
	if err != nil {
		return 0, err
	}
	return timestamp.AsTime().UnixMilli(), nil
}

func (*Ledger) Decorations(ctx context) (string, error) {
	return encode(hexadecimalMap(ctx.GetStub().GetDecorations())), nil
}

func (*Ledger) Transient(ctx context) (string, error) {
	transient, err := ctx.GetStub().GetTransient()
	return encode(hexadecimalMap(transient)), err
}

func (*Ledger) Signature(ctx context) (string, error) {
	signed, err := ctx.GetStub().GetSignedProposal()
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(signed.Signature), nil
}

func (*Ledger) SignedProposal(ctx context) (string, error) {
	signed, err := ctx.GetStub().GetSignedProposal()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(signed.ProposalBytes)
	return hex.EncodeToString(hash[:]), nil
}

// Args is called with bytes that need not be text.
func (*Ledger) Args(ctx context, argument []byte) (string, error) {
	return hexadecimals(ctx.GetStub().GetArgs()), nil
}

func (*Ledger) Call(ctx context, chaincode string, channel string, arguments string) (string, error) {
	args := [][]byte{}
	for _, argument := range list(arguments) {
		args = append(args, []byte(argument))
	}
	return answer(ctx.GetStub().InvokeChaincode(chaincode, args, channel)), nil
}

func answer(response *peer.Response) string {
	return encode([]any{response.Status, response.Message, hex.EncodeToString(response.Payload)})
}

func (*Ledger) Event(ctx context, name string, payload string) error {
	return ctx.GetStub().SetEvent(name, bytes(payload))
}

func (*Ledger) EventTwice(ctx context, first string, second string) error {
	if err := ctx.GetStub().SetEvent(first, []byte("1")); err != nil {
		return err
	}
	return ctx.GetStub().SetEvent(second, []byte("2"))
}

func (*Ledger) EventFail(ctx context, name string) error {
	if err := ctx.GetStub().SetEvent(name, nil); err != nil {
		return err
	}
	return refusal("refused after an event")
}

func (*Ledger) Fail(ctx context, message string) error {
	return refusal(message)
}

func (*Ledger) ClientId(ctx context) (string, error) {
	return ctx.GetClientIdentity().GetID()
}

func (*Ledger) ClientMsp(ctx context) (string, error) {
	return ctx.GetClientIdentity().GetMSPID()
}

func (*Ledger) ClientAttribute(ctx context, name string) (string, error) {
	value, found, err := ctx.GetClientIdentity().GetAttributeValue(name)
	if !found {
		return "null", err
	}
	return encode(value), err
}

func (*Ledger) ClientCertificate(ctx context) (string, error) {
	certificate, err := ctx.GetClientIdentity().GetX509Certificate()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(certificate.Raw)
	return hex.EncodeToString(hash[:]), nil
}

func page(results shim.StateQueryIteratorInterface, about *peer.QueryResponseMetadata, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer results.Close()
	items, err := pairs(results, 0)
	return encode([]any{items, about.Bookmark, about.FetchedRecordsCount}), err
}

func hexadecimalMap(values map[string][]byte) map[string]string {
	texts := map[string]string{}
	for name, value := range values {
		texts[name] = hex.EncodeToString(value)
	}
	return texts
}

func refusal(message string) error {
	return errors.New(message)
}
