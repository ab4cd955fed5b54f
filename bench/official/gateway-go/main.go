// The official Go client, and a mock gateway for all clients, as bench/gateway.py runs them:
//
//	program mock CERTIFICATE KEY BLOCKS
//	program client SETUP.json CASE CONCURRENCY WARMUP COUNT
//
// BLOCKS holds serialised blocks, each after its length as a 32-bit big-endian number.
package main

import (
	"encoding/binary"
	"log"
	"os"
	"strconv"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"
)

func main() {
	switch {
	case len(os.Args) == 5 && os.Args[1] == "mock":
		serve(os.Args[2], os.Args[3], os.Args[4])
	case len(os.Args) == 7 && os.Args[1] == "client":
		measure(readSetup(os.Args[2]), os.Args[3], number(4), number(5), number(6))
	default:
		log.Fatal("usage: mock CERTIFICATE KEY BLOCKS | client SETUP CASE CONCURRENCY WARMUP COUNT")
	}
}

func number(argument int) int {
	value, err := strconv.Atoi(os.Args[argument])
	check(err)
	return value
}

func readBlocks(path string) []*common.Block {
	var blocks []*common.Block
	for _, content := range readMessages(path) {
		block := &common.Block{}
		check(proto.Unmarshal(content, block))
		blocks = append(blocks, block)
	}
	return blocks
}

func readMessages(path string) [][]byte {
	content, err := os.ReadFile(path)
	check(err)
	var messages [][]byte
	for len(content) > 0 {
		size := binary.BigEndian.Uint32(content)
		messages = append(messages, content[4:4+size])
		content = content[4+size:]
	}
	return messages
}

func marshal(message proto.Message) []byte {
	content, err := proto.Marshal(message)
	check(err)
	return content
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
