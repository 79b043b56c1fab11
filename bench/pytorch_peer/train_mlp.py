#!/usr/bin/python3
"""The MLP 784-256-128-10 of docs/benchmarks.md in plain PyTorch: the yardstick for the network trainer.

Adam 1e-3, ReLU, cross entropy, one fixed random batch, so that nothing but the training step is timed.
Needs Debian's python3-torch. Prints one line; --json prints the same figures as JSON as well.
"""
import argparse
import json
import os
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--steps", type=int, default=1000, help="timed steps (default 1000)")
parser.add_argument("--batch", type=int, default=128, help="rows a batch (default 128)")
parser.add_argument("--threads", type=int, default=1, help="torch threads (default 1)")
parser.add_argument("--json", action="store_true", help="print a JSON object too")
options = parser.parse_args()

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch loads OpenMP: idle threads must not spin
import torch  # noqa: E402
from torch import nn  # noqa: E402

WARM_UP_STEPS = 100

torch.set_num_threads(options.threads)
torch.manual_seed(1)
model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
rows = torch.randn(options.batch, 784)
labels = torch.randint(0, 10, (options.batch,))


def step():
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(rows), labels)
    loss.backward()
    optimizer.step()
    return loss


for _ in range(WARM_UP_STEPS):
    step()
start = time.perf_counter()
for _ in range(options.steps):
    loss = step()
seconds = time.perf_counter() - start

result = {
    "peer": "PyTorch",
    "torch": torch.__version__,
    "steps": options.steps,
    "batch": options.batch,
    "threads": options.threads,
    "seconds": round(seconds, 4),
    "secondsPer1000Steps": round(1000 * seconds / options.steps, 4),
    "rowsPerSecond": round(options.steps * options.batch / seconds),
    "finalLoss": loss.item(),
}
print(f"PyTorch {torch.__version__}: {result['secondsPer1000Steps']:.3f} s per 1,000 steps "
      f"(batch {options.batch}, {options.threads} thread(s), {options.steps} steps)")
if options.json:
    print(json.dumps(result))
