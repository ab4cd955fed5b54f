package main

import (
	"errors"
	"time"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
)

// Part is nested in Item.
type Part struct {
	Code  string `json:"code"`
	Count int64  `json:"count"`
}

// Item has a field of each kind.
type Item struct {
	Name   string            `json:"name"`
	Count  int64             `json:"count"`
	Ready  bool              `json:"ready"`
	Tags   []string          `json:"tags"`
	Main   Part              `json:"main"`
	Parts  []Part            `json:"parts"`
	Labels map[string]string `json:"labels"`
}

// Extra has a field that may be absent.
type Extra struct {
	Code string `json:"code"`
	Note string `json:"note,omitempty" metadata:"note,optional"`
}

// Tree holds itself.
type Tree struct {
	Name     string `json:"name"`
	Children []Tree `json:"children"`
}

// Types gives back what it is given.
type Types struct {
	contractapi.Contract
}

func (*Types) GetEvaluateTransactions() []string {
	return []string{"Text", "Whole", "Flag", "Bytes", "Moment", "Texts", "Wholes", "Counts", "Part", "Item", "Parts", "Extra", "Tree", "Nothing", "NoPart"}
}

func (*Types) Text(ctx context, value string) (string, error) { return value, nil }

func (*Types) Whole(ctx context, value int64) (int64, error) { return value, nil }

func (*Types) Flag(ctx context, value bool) (bool, error) { return value, nil }

func (*Types) Bytes(ctx context, value []byte) ([]byte, error) { return value, nil }

func (*Types) Moment(ctx context, value time.Time) (time.Time, error) { return value, nil }

func (*Types) Texts(ctx context, value []string) ([]string, error) { return value, nil }

func (*Types) Wholes(ctx context, value []int64) ([]int64, error) { return value, nil }

func (*Types) Counts(ctx context, value map[string]int64) (map[string]int64, error) {
	return value, nil
}

func (*Types) Part(ctx context, value Part) (Part, error) { return value, nil }

func (*Types) Parts(ctx context, value []Part) ([]Part, error) { return value, nil }

func (*Types) Item(ctx context, value Item) (Item, error) { return value, nil }

func (*Types) Extra(ctx context, value Extra) (Extra, error) { return value, nil }

func (*Types) Tree(ctx context, value Tree) (Tree, error) { return value, nil }

func (*Types) Nothing(ctx context) error { return nil }

func (*Types) NoPart(ctx context) (*Part, error) { return nil, nil }

func (*Types) Two(ctx context, first string, second int64) (string, error) {
	return encode([]any{first, second}), nil
}

// NotedContext carries a note from the hook before to the function and to the hook after.
type NotedContext struct {
	contractapi.TransactionContext
	note string
}

// Hooks has all three hooks.
type Hooks struct {
	contractapi.Contract
}

func (*Hooks) Note(ctx *NotedContext, value string) (string, error) {
	ctx.note += " function"
	return ctx.note + " " + value, ctx.GetStub().PutState("hooks", []byte(value))
}

func (*Hooks) Fail(ctx *NotedContext) error { return errors.New("the function refuses") }

func before(ctx *NotedContext) error {
	transient, err := ctx.GetStub().GetTransient()
	if err != nil {
		return err
	}
	if string(transient["refuse"]) == "before" {
		return errors.New("before refuses")
	}
	ctx.note = "before"
	return nil
}

func after(ctx *NotedContext, result interface{}) error {
	transient, err := ctx.GetStub().GetTransient()
	if err != nil {
		return err
	}
	if string(transient["refuse"]) == "after" {
		return errors.New("after refuses")
	}
	text, _ := result.(string)
	return ctx.GetStub().SetEvent("after", []byte(text))
}

func unknown(ctx *NotedContext) (string, error) {
	function, _ := ctx.GetStub().GetFunctionAndParameters()
	if function == "hooks:Refused" {
		return "", errors.New("unknown refuses")
	}
	return "unknown", ctx.GetStub().PutState("unknown", []byte("1"))
}

// Colon is a contract with a colon in its name.
type Colon struct {
	contractapi.Contract
}

func (*Colon) Where(ctx context) (string, error) { return "colon", nil }
