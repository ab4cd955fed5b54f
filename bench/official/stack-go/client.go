package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// setup and command are what bench/suite/_clients.py writes.
type setup struct {
	Address     string `json:"address"`
	ServerName  string `json:"server_name"`
	TLSRoot     string `json:"tls_root"`
	MspID       string `json:"msp_id"`
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	Channel     string `json:"channel"`
}

type command struct {
	Do        string `json:"do"`
	Chaincode string `json:"chaincode"`
	Submit    bool   `json:"submit"`
	AtOnce    int    `json:"at_once"`
	Calls     string `json:"calls"`
}

type call struct {
	Function  string            `json:"function"`
	Args      []string          `json:"args"`
	Transient map[string]string `json:"transient"`
}

type result struct {
	answer  []byte
	seconds float64
	err     error
}

// work does what standard input says, line by line, until it ends.
func work(setupFile string) {
	s := &setup{}
	read(setupFile, s)
	gateway := connect(s)
	defer gateway.Close()
	network := gateway.GetNetwork(s.Channel)
	lines := bufio.NewScanner(os.Stdin)
	var (
		last    command
		calls   []call
		results []result
		seconds float64
	)
	for lines.Scan() {
		next := command{}
		check(json.Unmarshal(lines.Bytes(), &next))
		switch next.Do {
		case "load":
			last, calls, results = next, nil, nil
			read(next.Calls, &calls)
			fmt.Println(`{"ready":true}`)
		case "go":
			began := time.Now()
			results = run(network.GetContract(last.Chaincode), last, calls)
			seconds = time.Since(began).Seconds()
			fmt.Println(`{"done":true}`)
		case "report":
			report(calls, results, seconds)
		}
	}
}

func run(contract *client.Contract, c command, calls []call) []result {
	results := make([]result, len(calls))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range c.AtOnce {
		workers.Go(func() {
			for {
				number := int(next.Add(1)) - 1
				if number >= len(calls) {
					return
				}
				began := time.Now()
				answer, err := one(contract, c.Submit, calls[number])
				results[number] = result{answer, time.Since(began).Seconds(), err}
			}
		})
	}
	workers.Wait()
	return results
}

func one(contract *client.Contract, submit bool, c call) ([]byte, error) {
	options := []client.ProposalOption{client.WithArguments(c.Args...)}
	if len(c.Transient) > 0 {
		transient := map[string][]byte{}
		for name, value := range c.Transient {
			transient[name] = []byte(value)
		}
		options = append(options, client.WithTransient(transient))
	}
	if submit {
		return contract.Submit(c.Function, options...)
	}
	return contract.Evaluate(c.Function, options...)
}

func report(calls []call, results []result, seconds float64) {
	inputs, answers := sha256.New(), sha256.New()
	latencies := make([]float64, len(results))
	failed := ""
	for number, c := range calls {
		fmt.Fprintf(inputs, "%s\n", c.Function)
		for _, argument := range c.Args {
			fmt.Fprintf(inputs, "%s\n", argument)
		}
		names := []string{}
		for name := range c.Transient {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Fprintf(inputs, "%s=%s\n", name, c.Transient[name])
		}
		fmt.Fprintf(answers, "%s\n", results[number].answer)
		latencies[number] = results[number].seconds
		if err := results[number].err; err != nil && failed == "" {
			failed = explain(err)
		}
	}
	content, err := json.Marshal(map[string]any{
		"seconds":   seconds,
		"latencies": latencies,
		"inputs":    hex.EncodeToString(inputs.Sum(nil)),
		"answers":   hex.EncodeToString(answers.Sum(nil)),
		"error":     failed,
	})
	check(err)
	fmt.Println(string(content))
}

func explain(err error) string {
	text := err.Error()
	var commit *client.CommitError
	if errors.As(err, &commit) {
		text += " " + commit.Code.String()
	}
	return text
}

func connect(s *setup) *client.Gateway {
	root, err := os.ReadFile(s.TLSRoot)
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	connection, err := grpc.NewClient(
		s.Address,
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

func read(path string, target any) {
	content, err := os.ReadFile(path)
	check(err)
	check(json.Unmarshal(content, target))
}
