package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// setup is what every client is given; see bench/gateway.py.
type setup struct {
	Address       string   `json:"address"`
	ServerName    string   `json:"server_name"`
	TLSRoot       string   `json:"tls_root"`
	MspID         string   `json:"msp_id"`
	Certificate   string   `json:"certificate"`
	Key           string   `json:"key"`
	Channel       string   `json:"channel"`
	Chaincode     string   `json:"chaincode"`
	Evaluate      []string `json:"evaluate"`
	Submit        []string `json:"submit"`
	EvaluateGives string   `json:"evaluate_gives"`
	SubmitGives   string   `json:"submit_gives"`
	Blocks        string   `json:"blocks"`
}

func readSetup(path string) *setup {
	content, err := os.ReadFile(path)
	check(err)
	result := &setup{}
	check(json.Unmarshal(content, result))
	return result
}

func measure(s *setup, name string, concurrency, warmup, count int) {
	gateway := connect(s)
	defer gateway.Close()
	network := gateway.GetNetwork(s.Channel)
	contract := network.GetContract(s.Chaincode)
	var keys, values atomic.Int64

	var run func(int)
	switch name {
	case "evaluate":
		run = atOnce(concurrency, func(int) {
			answer, err := contract.EvaluateTransaction(s.Evaluate[0], s.Evaluate[1:]...)
			check(err)
			expect(answer, s.EvaluateGives)
		})
	case "submit":
		run = atOnce(concurrency, func(number int) {
			arguments := append([]string{fmt.Sprintf("key%d-%d", os.Getpid(), number)}, s.Submit[1:]...)
			answer, err := contract.SubmitTransaction(s.Submit[0], arguments...)
			check(err)
			expect(answer, s.SubmitGives)
		})
	case "block event":
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		events, err := network.BlockEvents(ctx, client.WithStartBlock(0))
		check(err)
		next := uint64(0)
		run = func(count int) {
			for range count {
				block := <-events
				if block.GetHeader().GetNumber() != next {
					log.Fatalf("block %d came instead of %d", block.GetHeader().GetNumber(), next)
				}
				next++
			}
		}
	case "decoded transaction":
		messages := readMessages(s.Blocks)
		run = func(count int) {
			for done := 0; done < count; {
				for _, message := range messages {
					found := decode(message)
					done += found.transactions
					keys.Add(int64(found.keys))
					values.Add(int64(found.values))
				}
			}
		}
	default:
		log.Fatalf("no case %q", name)
	}

	run(warmup)
	keys.Store(0)
	values.Store(0)
	began, used := time.Now(), cpu()
	run(count)
	used = cpu() - used
	fmt.Printf(`{"cpu_us": %d, "seconds": %f, "keys": %d, "values": %d}`+"\n",
		used.Microseconds(), time.Since(began).Seconds(), keys.Load(), values.Load())
}

func connect(s *setup) *client.Gateway {
	root, err := os.ReadFile(s.TLSRoot)
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	connection, err := grpc.NewClient(
		"dns:///"+s.Address,
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, s.ServerName)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(100<<20)),
	)
	check(err)
	certificatePEM, err := os.ReadFile(s.Certificate)
	check(err)
	certificate, err := identity.CertificateFromPEM(certificatePEM)
	check(err)
	id, err := identity.NewX509Identity(s.MspID, certificate)
	check(err)
	keyPEM, err := os.ReadFile(s.Key)
	check(err)
	key, err := identity.PrivateKeyFromPEM(keyPEM)
	check(err)
	sign, err := identity.NewPrivateKeySign(key)
	check(err)
	gateway, err := client.Connect(
		id, client.WithSign(sign), client.WithHash(hash.SHA256), client.WithClientConnection(connection),
	)
	check(err)
	return gateway
}

// atOnce runs a call so many times, with that many at a time.
func atOnce(concurrency int, call func(number int)) func(int) {
	var last atomic.Int64
	return func(count int) {
		var left atomic.Int64
		left.Store(int64(count))
		var workers sync.WaitGroup
		for range concurrency {
			workers.Go(func() {
				for left.Add(-1) >= 0 {
					call(int(last.Add(1)))
				}
			})
		}
		workers.Wait()
	}
}

func expect(answer []byte, wanted string) {
	if !bytes.Equal(answer, []byte(wanted)) {
		log.Fatal("a call gave back something else")
	}
}

// cpu is what this process has used, in the kernel and outside.
func cpu() time.Duration {
	usage := syscall.Rusage{}
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
