// What the containers of a medfab network need and an image from scratch has no shell for: the three
// steps of the peers' external builder, and the health check. One static program, which does what
// the name that it is called by says.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var label = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)

func main() {
	steps := map[string]func([]string) error{
		"detect": detect, "build": build, "release": release, "medfab-health": health,
	}
	name := filepath.Base(os.Args[0])
	step, known := steps[name]
	if !known {
		name, step = "medfab-container", func([]string) error { return errors.New("call it by the name of a step") }
	}
	if err := step(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

type metadata struct {
	Type  string `json:"type"`
	Label string `json:"label"`
}

func readMetadata(folder string) (metadata, error) {
	var found metadata
	text, err := os.ReadFile(filepath.Join(folder, "metadata.json"))
	if err != nil {
		return found, err
	}
	return found, json.Unmarshal(text, &found)
}

// detect SOURCE METADATA: ours are packages of type "ccaas" (chaincode as a service).
func detect(arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("detect SOURCE METADATA")
	}
	found, err := readMetadata(arguments[1])
	if err == nil && found.Type != "ccaas" {
		err = fmt.Errorf("packages of type %q are not ours", found.Type)
	}
	return err
}

// build SOURCE METADATA OUTPUT: the organisation's own connection first, so that packages need no
// address and no key in them.
func build(arguments []string) error {
	if len(arguments) != 3 {
		return errors.New("build SOURCE METADATA OUTPUT")
	}
	found, err := readMetadata(arguments[1])
	if err != nil {
		return err
	}
	target := filepath.Join(arguments[2], "connection.json")
	if label.MatchString(found.Label) {
		own := filepath.Join(os.Getenv("MEDFAB_CONNECTIONS"), found.Label+".json")
		if err := copyFile(own, target); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return copyFile(filepath.Join(arguments[0], "connection.json"), target)
}

// release BUILD_OUTPUT RELEASE_OUTPUT: where the peer looks for the connection.
func release(arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("release BUILD_OUTPUT RELEASE_OUTPUT")
	}
	folder := filepath.Join(arguments[1], "chaincode", "server")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return copyFile(filepath.Join(arguments[0], "connection.json"), filepath.Join(folder, "connection.json"))
}

func copyFile(source, target string) error {
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	return os.WriteFile(target, content, 0o600)
}

// medfab-health URL CA: https://… must answer 200, tls://HOST:PORT must complete a handshake.
func health(arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("medfab-health URL CA")
	}
	pem, err := os.ReadFile(arguments[1])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("no certificate in %s", arguments[1])
	}
	trust := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if address, isTLS := strings.CutPrefix(arguments[0], "tls://"); isTLS {
		connection, err := tls.Dial("tcp", address, trust)
		if err != nil {
			return err
		}
		return connection.Close()
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: trust}}
	response, err := client.Get(arguments[0])
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", response.Status)
	}
	return nil
}
