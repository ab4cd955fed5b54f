// The official Go shim, and a mock peer for every chaincode, as bench/chaincode.py runs them:
//
//	program chaincode plain|batch ADDRESS
//	program peer ADDRESS FUNCTION SIZE CONCURRENCY WARMUP COUNT
package main

import (
	"log"
	"os"
	"strconv"
)

func main() {
	switch {
	case len(os.Args) == 4 && os.Args[1] == "chaincode":
		serve(os.Args[2] == "batch", os.Args[3])
	case len(os.Args) == 8 && os.Args[1] == "peer":
		load(os.Args[2], os.Args[3], number(4), number(5), number(6), number(7))
	default:
		log.Fatal("usage: chaincode plain|batch ADDRESS" +
			" | peer ADDRESS FUNCTION SIZE CONCURRENCY WARMUP COUNT")
	}
}

func number(argument int) int {
	value, err := strconv.Atoi(os.Args[argument])
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
