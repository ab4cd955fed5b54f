package main

import fabric "github.com/hyperledger/fabric-gateway/pkg/identity"

type signCase struct {
	Key    []byte
	Digest []byte
}

func signWithKey(item signCase) (map[string]any, error) {
	key, err := fabric.PrivateKeyFromPEM(item.Key)
	if err != nil {
		return nil, err
	}
	sign, err := fabric.NewPrivateKeySign(key)
	if err != nil {
		return nil, err
	}
	signature, err := sign(item.Digest)
	return map[string]any{"signature": signature}, err
}
