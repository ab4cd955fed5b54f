// The contract of bench/suite/contract.py and the client of bench/suite/client.py, with the official
// Go libraries:
//
//	program chaincode        told by the network in the environment
//	program client SETUP.json
package main

import (
	"log"
	"os"
)

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "chaincode":
		serve()
	case len(os.Args) == 3 && os.Args[1] == "client":
		work(os.Args[2])
	default:
		log.Fatal("usage: chaincode | client SETUP")
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
