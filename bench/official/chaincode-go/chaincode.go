package main

import (
	"fmt"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// contract is what bench/chaincode_raw.py has in Python. With batch it asks for all keys at once
// and lets the shim send its writes together, as only Go's can.
type contract struct {
	batch bool
}

func serve(batch bool, address string) {
	server := &shim.ChaincodeServer{
		CCID:     "bench:1",
		Address:  address,
		CC:       &contract{batch: batch},
		TLSProps: shim.TLSProperties{Disabled: true},
	}
	check(server.Start())
}

func (c *contract) Init(shim.ChaincodeStubInterface) *peer.Response {
	return shim.Success(nil)
}

func (c *contract) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	function, arguments := stub.GetFunctionAndParameters()
	size, err := strconv.Atoi(arguments[0])
	if err != nil {
		return shim.Error(err.Error())
	}
	total := 0
	switch {
	case function == "Range":
		total, err = readRange(stub)
	case c.batch:
		total, err = readWriteBatch(stub, size)
	default:
		total, err = readWrite(stub, size)
	}
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success([]byte(strconv.Itoa(total)))
}

func readWrite(stub shim.ChaincodeStubInterface, size int) (int, error) {
	total := 0
	for i := range size {
		key := fmt.Sprintf("key%d", i)
		value, err := stub.GetState(key)
		if err != nil {
			return 0, err
		}
		total += len(value)
		if err := stub.PutState(key, value); err != nil {
			return 0, err
		}
	}
	return total, nil
}

func readWriteBatch(stub shim.ChaincodeStubInterface, size int) (int, error) {
	keys := make([]string, size)
	for i := range size {
		keys[i] = fmt.Sprintf("key%d", i)
	}
	values, err := stub.GetMultipleStates(keys...)
	if err != nil {
		return 0, err
	}
	stub.StartWriteBatch()
	total := 0
	for i, value := range values {
		total += len(value)
		if err := stub.PutState(keys[i], value); err != nil {
			return 0, err
		}
	}
	return total, stub.FinishWriteBatch()
}

func readRange(stub shim.ChaincodeStubInterface) (int, error) {
	rows, err := stub.GetStateByRange("a", "b")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	total := 0
	for rows.HasNext() {
		row, err := rows.Next()
		if err != nil {
			return 0, err
		}
		total += len(row.GetValue())
	}
	return total, nil
}
