// What the official Node client reads in a checkpoint file, as JSON; then it handles transaction
// "node" of block 12. See tests/unit/gateway/test_checkpointers.py.
import { checkpointers } from '@hyperledger/fabric-gateway';

const checkpointer = await checkpointers.file(process.argv[2]);
console.log(JSON.stringify([
    String(checkpointer.getBlockNumber()), checkpointer.getTransactionId() ?? '',
]));
await checkpointer.checkpointTransaction(12n, 'node');
