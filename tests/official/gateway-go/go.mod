module medfab/official/gateway-go

go 1.25.0

require github.com/hyperledger/fabric-gateway v1.12.1 // indirect
