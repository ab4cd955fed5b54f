package main

import (
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
)

type context = contractapi.TransactionContextInterface

// Ledger has a function for every function of the stub. Bytes are hexadecimal; lists are JSON.
type Ledger struct {
	contractapi.Contract
}

// GetEvaluateTransactions is what the metadata tags as evaluate.
func (*Ledger) GetEvaluateTransactions() []string {
	return []string{"Get", "Range"}
}

func (*Ledger) Get(ctx context, key string) (string, error) {
	value, err := ctx.GetStub().GetState(key)
	return hex.EncodeToString(value), err
}

func (*Ledger) GetMany(ctx context, keys string) (string, error) {
	values, err := ctx.GetStub().GetMultipleStates(list(keys)...)
	return hexadecimals(values), err
}

func (*Ledger) Put(ctx context, key string, value string) error {
	return ctx.GetStub().PutState(key, bytes(value))
}

func (*Ledger) Delete(ctx context, key string) error {
	return ctx.GetStub().DelState(key)
}

func (*Ledger) PutTwice(ctx context, key string, first string, second string) error {
	if err := ctx.GetStub().PutState(key, bytes(first)); err != nil {
		return err
	}
	return ctx.GetStub().PutState(key, bytes(second))
}

func (*Ledger) PutDelete(ctx context, key string, value string) error {
	if err := ctx.GetStub().PutState(key, bytes(value)); err != nil {
		return err
	}
	return ctx.GetStub().DelState(key)
}

func (*Ledger) DeletePut(ctx context, key string, value string) error {
	if err := ctx.GetStub().DelState(key); err != nil {
		return err
	}
	return ctx.GetStub().PutState(key, bytes(value))
}

func (*Ledger) PutGet(ctx context, key string, value string) (string, error) {
	if err := ctx.GetStub().PutState(key, bytes(value)); err != nil {
		return "", err
	}
	found, err := ctx.GetStub().GetState(key)
	return hex.EncodeToString(found), err
}

func (*Ledger) PutFail(ctx context, key string, value string) error {
	if err := ctx.GetStub().PutState(key, bytes(value)); err != nil {
		return err
	}
	return refusal("refused after a write")
}

func (*Ledger) PutMany(ctx context, keys string, value string) error {
	ctx.GetStub().StartWriteBatch()
	for _, key := range list(keys) {
		if err := ctx.GetStub().PutState(key, bytes(value)); err != nil {
			return err
		}
	}
	return ctx.GetStub().FinishWriteBatch()
}

func (*Ledger) Big(ctx context, count int64) (string, error) {
	return strings.Repeat("x", int(count)), nil
}

func (*Ledger) PutBig(ctx context, key string, count int64) error {
	return ctx.GetStub().PutState(key, []byte(strings.Repeat("x", int(count))))
}

func (*Ledger) Range(ctx context, start string, end string, limit int64) (string, error) {
	results, err := ctx.GetStub().GetStateByRange(start, end)
	return collect(results, err, limit)
}

func (*Ledger) RangePut(ctx context, start string, end string, key string) (string, error) {
	results, err := ctx.GetStub().GetStateByRange(start, end)
	found, err := collect(results, err, 0)
	if err != nil {
		return "", err
	}
	return found, ctx.GetStub().PutState(key, []byte("1"))
}

func (*Ledger) RangePage(ctx context, start string, end string, size int64, bookmark string) (string, error) {
	results, about, err := ctx.GetStub().GetStateByRangeWithPagination(start, end, int32(size), bookmark)
	return page(results, about, err)
}

func (*Ledger) PagePut(ctx context, key string) error {
	results, about, err := ctx.GetStub().GetStateByRangeWithPagination("", "", 1, "")
	if _, err = page(results, about, err); err != nil {
		return err
	}
	return ctx.GetStub().PutState(key, []byte("1"))
}

func (*Ledger) Partial(ctx context, kind string, attributes string, limit int64) (string, error) {
	results, err := ctx.GetStub().GetStateByPartialCompositeKey(kind, list(attributes))
	return collect(results, err, limit)
}

func (*Ledger) PartialPage(ctx context, kind string, attributes string, size int64, bookmark string) (string, error) {
	results, about, err := ctx.GetStub().GetStateByPartialCompositeKeyWithPagination(kind, list(attributes), int32(size), bookmark)
	return page(results, about, err)
}

func (*Ledger) AllCompositePage(ctx context, size int64, bookmark string) (string, error) {
	results, about, err := ctx.GetStub().GetAllStatesCompositeKeyWithPagination(int32(size), bookmark)
	return page(results, about, err)
}

func (*Ledger) CreateKey(ctx context, kind string, attributes string) (string, error) {
	key, err := ctx.GetStub().CreateCompositeKey(kind, list(attributes))
	return hex.EncodeToString([]byte(key)), err
}

func (*Ledger) SplitKey(ctx context, key string) (string, error) {
	kind, attributes, err := ctx.GetStub().SplitCompositeKey(string(bytes(key)))
	return encode(append([]string{kind}, attributes...)), err
}

func (*Ledger) PutComposite(ctx context, kind string, attributes string, value string) error {
	key, err := ctx.GetStub().CreateCompositeKey(kind, list(attributes))
	if err != nil {
		return err
	}
	return ctx.GetStub().PutState(key, bytes(value))
}

func (*Ledger) Query(ctx context, query string) (string, error) {
	results, err := ctx.GetStub().GetQueryResult(query)
	return collect(results, err, 0)
}

func (*Ledger) QueryPage(ctx context, query string, size int64, bookmark string) (string, error) {
	results, about, err := ctx.GetStub().GetQueryResultWithPagination(query, int32(size), bookmark)
	return page(results, about, err)
}

func (*Ledger) History(ctx context, key string) (string, error) {
	results, err := ctx.GetStub().GetHistoryForKey(key)
	if err != nil {
		return "", err
	}
	defer results.Close()
	changes := [][]any{}
	for results.HasNext() {
		change, err := results.Next()
		if err != nil {
			return "", err
		}
		moment := change.Timestamp.AsTime().UnixMilli()
		changes = append(changes, []any{change.TxId, hex.EncodeToString(change.Value), moment, change.IsDelete})
	}
	return encode(changes), nil
}

func list(text string) []string {
	var values []string
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		panic(err)
	}
	return values
}

func bytes(text string) []byte {
	value, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return value
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func hexadecimals(values [][]byte) string {
	texts := []string{}
	for _, value := range values {
		texts = append(texts, hex.EncodeToString(value))
	}
	return encode(texts)
}

// collect reads a result to its end, or until there are limit items (0: no limit).
func collect(results shim.StateQueryIteratorInterface, err error, limit int64) (string, error) {
	if err != nil {
		return "", err
	}
	defer results.Close()
	items, err := pairs(results, limit)
	return encode(items), err
}

func pairs(results shim.StateQueryIteratorInterface, limit int64) ([][]string, error) {
	items := [][]string{}
	for results.HasNext() {
		item, err := results.Next()
		if err != nil {
			return nil, err
		}
		items = append(items, []string{item.Key, hex.EncodeToString(item.Value)})
		if int64(len(items)) == limit {
			break
		}
	}
	return items, nil
}
