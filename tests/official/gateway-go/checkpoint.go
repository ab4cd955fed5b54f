package main

import (
	"encoding/json"
	"os"
	"strconv"

	"github.com/hyperledger/fabric-gateway/pkg/client"
)

// What the official client reads in a checkpoint file; then it handles transaction "go" of block 12.
func useCheckpointFile(file string) error {
	checkpointer, err := client.NewFileCheckpointer(file)
	if err != nil {
		return err
	}
	defer checkpointer.Close()
	read := []string{strconv.FormatUint(checkpointer.BlockNumber(), 10), checkpointer.TransactionID()}
	if err := json.NewEncoder(os.Stdout).Encode(read); err != nil {
		return err
	}
	return checkpointer.CheckpointTransaction(12, "go")
}
